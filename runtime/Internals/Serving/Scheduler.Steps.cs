using System.Diagnostics;

namespace LatentMoE.Runtime.Internals.Serving;

internal sealed partial class Scheduler
{
    // Guessed tokens pay while a run is bound by reading weights.
    private const int DraftRows = 4;

    /// <summary>Rows times columns that one step may take.</summary>
    public static int MaxStepTokens(int rows, EngineOptions options) => Math.Max(rows, Math.Min(rows, DraftRows) * (1 + options.DraftTokens));

    // One run for all answers. A row that writes nothing stands idle in it; where rows can be moved there is none.
    private void Step()
    {
        Compact();
        int rows = 1 + Array.FindLastIndex(_rows, Writes), width = 1;
        if (rows == 0)
        {
            return;
        }
        // The device draws in its own way, of one column: a request must not change sides with the number of rows.
        bool guess = rows <= DraftRows && (_decoder.Ragged || rows == 1) && !_decoder.Selects;
        for (int row = 0; row < rows; row++)
        {
            _plan[row] = Writes(_rows[row]) ? _rows[row]!.NextRun(guess ? _options.DraftTokens : 0, _rules.ContextLength) : default;
            width = Math.Max(width, _plan[row].Count);
        }
        long started = Stopwatch.GetTimestamp();
        _decoder.Run(0, _plan.AsSpan(0, rows), keep: width, onDevice: AllSelectable(0, rows));
        _counters.Ran(started);
        Choose(0, rows, certain: 1);
    }

    // Moves the rows that write to the front.
    private void Compact()
    {
        if (!_decoder.Cache.Movable)
        {
            return;
        }
        for (int row = 0, last = Array.FindLastIndex(_rows, Writes); row < last; row++)
        {
            if (!Writes(_rows[row]))
            {
                _decoder.Cache.Swap(row, _rows[row]?.Computed ?? 0, last, _rows[last]!.Computed);
                _decoder.Cache.Release(last, _rows[row]?.Computed ?? 0);
                (_rows[row], _rows[last]) = (_rows[last], _rows[row]);
                last = Array.FindLastIndex(_rows, Writes);
            }
        }
    }

    private static bool Writes(EngineRequest? request) => request is { ReadsPrompt: false };
}
