using Microsoft.ML.Tokenizers;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>How a text is cut before merges: splits, one inside the pieces of the other, and ByteLevel at the end.</summary>
/// <param name="AddPrefixSpace">Whether a piece of the splits gets a space in front where it has none.</param>
/// <param name="UseRegex">Whether GPT-2's pattern cuts at the end.</param>
internal sealed record PreTokenizerSteps(IReadOnlyList<SplitStep> Splits, bool AddPrefixSpace, bool UseRegex)
{
    /// <summary>The same cut for Microsoft's tokenizer, which knows no added space.</summary>
    public PreTokenizer ToPreTokenizer() => Splits.Count == 0 && UseRegex ? Gpt2PreTokenizer.Instance : new Cutter(this);

    private void Cut(ReadOnlySpan<char> text, int offset, int step, List<(int Offset, int Length)> pieces)
    {
        if (step < Splits.Count)
        {
            var cuts = Splits[step].Of(text);
            while (cuts.MoveNext())
            {
                Cut(text.Slice(cuts.Start, cuts.Length), offset + cuts.Start, step + 1, pieces);
            }
            return;
        }
        for (int at = 0, length; at < text.Length; at += length)
        {
            length = UseRegex ? Gpt2PreTokenizer.NextPiece(text[at..]) : text.Length;
            pieces.Add((offset + at, length));
        }
    }

    private sealed class Cutter(PreTokenizerSteps steps) : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => PreTokenize(text.AsSpan());

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
        {
            var pieces = new List<(int, int)>();
            steps.Cut(text, 0, 0, pieces);
            return pieces;
        }
    }
}
