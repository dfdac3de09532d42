using System.Diagnostics;

namespace LatentMoE.Runtime.Internals.Serving;

internal sealed partial class Scheduler
{
    // Guessed tokens pay while a run is bound by reading weights; threads do once there are some draws to share.
    private const int DraftRows = 4, ParallelDraws = 4;

    /// <summary>Rows times columns that one step may take.</summary>
    public static int MaxStepTokens(int rows, EngineOptions options) => Math.Max(rows, Math.Min(rows, DraftRows) * (1 + options.DraftTokens));

    // One run for all answers. A row that writes nothing stands idle in it; where rows can be moved there is none.
    private void Step()
    {
        Compact();
        int rows = 1 + Array.FindLastIndex(_rows, Writes), width = 1, draws = 0;
        if (rows == 0)
        {
            return;
        }
        bool guess = rows <= DraftRows && (_decoder.Ragged || rows == 1);
        for (int row = 0; row < rows; row++)
        {
            _plan[row] = Writes(_rows[row]) ? _rows[row]!.NextRun(guess ? _options.DraftTokens : 0, _rules.ContextLength) : default;
            width = Math.Max(width, _plan[row].Count);
            draws += Writes(_rows[row]) && _rows[row]!.Options.Temperature > 0 ? 1 : 0;
        }
        long started = Stopwatch.GetTimestamp();
        _decoder.Run(0, _plan.AsSpan(0, rows), keep: width);
        _counters.Ran(started);
        if (draws >= ParallelDraws)
        {
            Parallel.For(0, rows, Advance);
        }
        else
        {
            for (int row = 0; row < rows; row++)
            {
                Advance(row);
            }
        }
        EndFinished();
    }

    // Token by token as if each had been run alone: the choice at a guess decides whether the logits after it count.
    private void Advance(int row)
    {
        var run = _plan[row].Tokens.Span;
        var request = _rows[row];
        for (int i = 0; i < run.Length; i++)
        {
            int back = run.Length - 1 - i;
            bool more = request!.Advance(_decoder.Logits(row, back), _decoder.Experts(row, back), out int token);
            request.Computed++;
            if (!more || i + 1 == run.Length || token != run[i + 1])
            {
                request.AcceptedDrafts += i;
                _counters.Wrote(i + 1, run.Length - 1, i);
                break;
            }
        }
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
                if (_rows[row] is null)
                {
                    _decoder.Cache.Release(last);
                }
                (_rows[row], _rows[last]) = (_rows[last], _rows[row]);
                last = Array.FindLastIndex(_rows, Writes);
            }
        }
    }

    private static bool Writes(EngineRequest? request) => request is { ReadsPrompt: false };
}
