namespace LatentMoE.Runtime.Internals.Serving;

internal sealed partial class Scheduler
{
    // Logits to draw from, of all rows, from which on threads pay: they compete with those of the model's runs.
    private const int ParallelLogits = 1 << 19;

    /// <summary>Chooses a token after the last run for each of its rows whose prompt is read, and lets go those that end with it.</summary>
    /// <param name="certain">Tokens of a row's run that are surely its own; the others are guesses. 0: all are.</param>
    private void Choose(int first, int rows, int certain)
    {
        if (_decoder.Selects)
        {
            ChooseOnDevice(first, rows);
        }
        long logits = 0;
        for (int row = 0; row < rows; row++)
        {
            logits += IsReady(first, row) && _rows[first + row]!.Options.Temperature > 0 ? _rules.Vocabulary : 0;
        }
        if (rows > 1 && logits >= ParallelLogits)
        {
            Parallel.For(0, rows, row => ChooseHere(first, row, certain));
        }
        else
        {
            for (int row = 0; row < rows; row++)
            {
                ChooseHere(first, row, certain);
            }
        }
        EndFinished();
    }

    // Token by token as if each had been run alone: the choice at a guess decides whether the logits after it count.
    private void ChooseHere(int first, int row, int certain)
    {
        if (!IsReady(first, row))
        {
            return;
        }
        var (run, request) = (_plan[row], _rows[first + row]!);
        int start = (certain == 0 ? run.Count : certain) - 1;
        for (int i = start; i < run.Count; i++)
        {
            int back = run.Count - 1 - i;
            request.Computed = run.Position + i + 1;
            request.AcceptedDrafts += i > start ? 1 : 0;
            bool more = request.Advance(_decoder.Logits(row, back), _decoder.Experts(row, back), out int token);
            if (!more || back == 0 || token != run.Tokens.Span[i + 1])
            {
                _counters.Wrote(i - start + (request.Failure is null ? 1 : 0), run.Count - 1 - start, i - start);
                return;
            }
        }
    }

    // The requests whose choice needs no more than SelectToken has; they leave the plan, so that nothing is left to do for them here.
    private void ChooseOnDevice(int first, int rows)
    {
        bool any = false;
        for (int row = 0; row < rows; row++)
        {
            if (IsReady(first, row) && _rows[first + row]!.Selectable)
            {
                any = true;
                _decoder.SetChoice(row, _rows[first + row]!.Options, _rows[first + row]!.NextUniform());
            }
        }
        var tokens = any ? _decoder.Choose() : [];
        for (int row = 0; row < tokens.Length; row++)
        {
            if (IsReady(first, row) && _rows[first + row] is { Selectable: true } request)
            {
                request.Computed = _plan[row].Position + _plan[row].Count;
                request.Advance((int)tokens[row], _decoder.Experts(row));
                _counters.Wrote(request.Failure is null ? 1 : 0, 0, 0);
                _plan[row] = default;
            }
        }
    }

    // Whether all rows of a run leave their choice to the device, so that no logits are needed here.
    private bool AllSelectable(int first, int rows)
    {
        for (int row = first; row < first + rows && _decoder.Selects; row++)
        {
            if (_rows[row] is { Selectable: false })
            {
                return false;
            }
        }
        return _decoder.Selects;
    }

    private bool IsReady(int first, int row) => _plan[row].Count > 0 && Writes(_rows[first + row]);
}
