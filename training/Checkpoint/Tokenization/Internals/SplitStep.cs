namespace LatentMoE.Checkpoints.Tokenization.Internals;

internal enum SplitBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>One cut of a text by a pattern, as Hugging Face's Split makes it.</summary>
/// <param name="Place">The file and key that the pattern comes from.</param>
internal sealed record SplitStep(string Place, SplitPattern Pattern, SplitBehavior Behavior, bool Invert)
{
    private const int StepsPerCharacter = 1024, FreeSteps = 1 << 28;

    public Cuts Of(ReadOnlySpan<char> text) => new(this, text);

    /// <summary>The pieces of a text, in order, none of them empty.</summary>
    public ref struct Cuts(SplitStep step, ReadOnlySpan<char> text)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private Part _next;
        private int _at, _matchStart = -1, _matchEnd;
        private bool _started;
        private long _steps;

        public int Start { get; private set; }

        public int Length { get; private set; }

        public bool MoveNext()
        {
            if (!_started)
            {
                (_started, _next) = (true, Raw());
            }
            Part part = _next;
            if (part.Length == 0)
            {
                return false;
            }
            _next = Raw();
            while (_next.Length > 0 && Joins(part, _next))
            {
                part = part with { Length = part.Length + _next.Length };
                _next = Raw();
                if (step.Behavior != SplitBehavior.Contiguous)
                {
                    break;
                }
            }
            (Start, Length) = (part.Start, part.Length);
            return step.Behavior != SplitBehavior.Removed || !part.Matched || MoveNext();
        }

        private readonly bool Joins(Part one, Part two) => step.Behavior switch
        {
            SplitBehavior.Contiguous => one.Matched == two.Matched,
            SplitBehavior.MergedWithPrevious => two.Matched && !one.Matched,
            SplitBehavior.MergedWithNext => one.Matched && !two.Matched,
            _ => false,
        };

        // The next match, or the text before it.
        private Part Raw()
        {
            int from = _at;
            if (_matchStart < from)
            {
                FindMatch(from);
            }
            bool inside = _matchStart == from;
            _at = inside ? _matchEnd : _matchStart;
            return new Part(from, _at - from, inside != step.Invert);
        }

        private void FindMatch(int from)
        {
            for (int start = from; start < _text.Length; start++)
            {
                if (start > from && char.IsLowSurrogate(_text[start]) && char.IsHighSurrogate(_text[start - 1]))
                {
                    continue;
                }
                int end = step.Pattern.Match(_text, start, out int reached);
                _steps += reached - start + 1;
                if (_steps > StepsPerCharacter * (long)_text.Length + FreeSteps)
                {
                    throw new CheckpointException($"{step.Place} takes more than {StepsPerCharacter} steps a character on a text of {_text.Length} characters. "
                        + "Cut the text, or choose a tokenizer whose pattern reads each character a bounded number of times.");
                }
                if (end > start)
                {
                    (_matchStart, _matchEnd) = (start, end);
                    return;
                }
            }
            (_matchStart, _matchEnd) = (_text.Length, _text.Length);
        }

        private readonly record struct Part(int Start, int Length, bool Matched);
    }
}
