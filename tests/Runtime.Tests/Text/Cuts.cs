namespace LatentMoE.Runtime.Tests.Text;

/// <summary>Ways of cutting a sequence into pieces.</summary>
internal static class Cuts
{
    /// <summary>Every way with up to so many cuts, and the one with a cut everywhere.</summary>
    public static IEnumerable<int[]> All(int length, int atMost)
    {
        IEnumerable<int[]> From(int start, int left) =>
            left == 0 ? [[]] : From(length, 0).Concat(Enumerable.Range(start, Math.Max(length - start, 0)).SelectMany(cut => From(cut + 1, left - 1).Select(rest => (int[])[cut, .. rest])));
        return From(1, atMost).Append([.. Enumerable.Range(1, Math.Max(length - 1, 0))]);
    }

    public static IEnumerable<(int Start, int End)> Pieces(int length, int[] cuts)
    {
        int start = 0;
        foreach (int cut in cuts.Append(length))
        {
            yield return (start, cut);
            start = cut;
        }
    }
}
