using System.Diagnostics;

namespace LatentMoE.Runtime.Internals.Serving;

internal sealed partial class Scheduler
{
    // As many prompt tokens as may be read between two steps, the oldest request's first.
    private void ReadPrompts()
    {
        int budget = _options.PrefillTokensPerStep;
        for (int row = OldestPrompt(); row >= 0 && budget > 0; row = OldestPrompt())
        {
            Begin(row);
            int width = Math.Min(budget, Rest(row)), rows = Together(row, width, budget), tokens = 0;
            for (int i = 0; i < rows; i++)
            {
                _plan[i] = _rows[row + i]!.PromptRun(width);
                tokens += _plan[i].Count;
            }
            long started = Stopwatch.GetTimestamp();
            _decoder.Run(row, _plan.AsSpan(0, rows), keep: 1, onDevice: AllSelectable(row, rows));
            _counters.Ran(started, tokens);
            for (int i = 0; i < rows; i++)
            {
                PromptRead(row + i, _plan[i].Count);
            }
            Choose(row, rows, certain: 0);
            budget -= rows * width;
        }
    }

    private void PromptRead(int row, int tokens)
    {
        var request = _rows[row]!;
        request.Computed += tokens;
        if (!request.ReadsPrompt)
        {
            _prefixes.Keep(request.Tokens, row);
            _counters.Holds(_prefixes.Bytes);
        }
    }

    // What is known already is looked up as late as can be: an equal prompt may just have been read.
    private void Begin(int row)
    {
        var request = _rows[row]!;
        if (!request.Started)
        {
            request.Started = true;
            request.Computed = request.Cached = _prefixes.Restore(request.Tokens, row);
            _counters.Restored(request.Cached);
        }
    }

    private int OldestPrompt()
    {
        int oldest = -1;
        for (int row = 0; row < _rows.Length; row++)
        {
            if (_rows[row] is { ReadsPrompt: true } request && (oldest < 0 || request.Order < _rows[oldest]!.Order))
            {
                oldest = row;
            }
        }
        return oldest;
    }

    // Neighbours that can share a run: nearly as long, and without use for what this one's prompt brings into the prefix cache.
    private int Together(int first, int width, int budget)
    {
        int rows = 1;
        while (_decoder.Ragged && (rows + 1) * width <= budget && first + rows < _rows.Length && _rows[first + rows] is { ReadsPrompt: true } next
            && (next.Started || !StartsLike(next, first, rows)))
        {
            Begin(first + rows);
            if (2 * Rest(first + rows) < width)
            {
                break;
            }
            rows++;
        }
        return rows;
    }

    private bool StartsLike(EngineRequest request, int first, int rows)
    {
        var start = request.Tokens[..Math.Min(PrefixCache.BlockTokens, request.Tokens.Length)];
        for (int row = first; row < first + rows; row++)
        {
            if (start.Length == PrefixCache.BlockTokens && _rows[row]!.Tokens.StartsWith(start))
            {
                return true;
            }
        }
        return false;
    }

    private int Rest(int row) => _rows[row]!.PromptLength - _rows[row]!.Computed;
}
