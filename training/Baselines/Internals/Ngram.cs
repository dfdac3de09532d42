namespace LatentMoE.Training.Baselines.Internals;

/// <summary>Up to three token ids in one number, the last token in the lowest bits.</summary>
internal static class Ngram
{
    public const int LargestVocabulary = 1 << Bits;

    private const int Bits = 21;

    /// <summary>The <paramref name="order"/> tokens that end at <paramref name="at"/>; from a separator backwards, and before the start, all context is separators.</summary>
    public static ulong Pack(ReadOnlySpan<int> tokens, int at, int order, int separator)
    {
        ulong gram = (uint)tokens[at];
        bool cut = false;
        for (int back = 1; back < order; back++)
        {
            cut = cut || back > at || tokens[at - back] == separator;
            gram |= (ulong)(uint)(cut ? separator : tokens[at - back]) << (back * Bits);
        }
        return gram;
    }

    public static ulong Context(ulong gram) => gram >> Bits;

    /// <summary>The last <paramref name="order"/> tokens.</summary>
    public static ulong DropFirst(ulong gram, int order) => gram & ((1UL << (order * Bits)) - 1);

    public static int First(ulong gram, int order) => (int)(gram >> ((order - 1) * Bits));

    /// <summary>Joins runs of equal grams in sorted arrays, adding their counts.</summary>
    public static void SumEqual(ref ulong[] grams, ref long[] counts)
    {
        int last = 0;
        for (int i = 1; i < grams.Length; i++)
        {
            if (grams[i] == grams[last])
            {
                counts[last] += counts[i];
            }
            else
            {
                last++;
                (grams[last], counts[last]) = (grams[i], counts[i]);
            }
        }
        Array.Resize(ref grams, last + 1);
        Array.Resize(ref counts, last + 1);
    }
}
