namespace LatentMoE.Training.Tests.Baselines;

/// <summary>Interpolated modified Kneser-Ney written straight from Chen and Goodman's formulas over lists of tokens: slow, and easy to compare with them.</summary>
internal sealed class NaiveKneserNey
{
    private readonly int _order, _vocabulary;
    private readonly Dictionary<string, int>[] _counts; // by order; keys are tokens joined by blanks
    private readonly double[][] _discounts;

    public NaiveKneserNey(int[] tokens, int order, int vocabulary)
    {
        (_order, _vocabulary) = (order, vocabulary);
        _counts = new Dictionary<string, int>[order + 1];
        _counts[order] = Enumerable.Range(1, tokens.Length - 1).Select(at => Key(tokens, at, order)).CountBy(key => key).ToDictionary();
        for (int n = order - 1; n >= 1; n--)
        {
            _counts[n] = [];
            foreach (var (key, count) in _counts[n + 1])
            {
                string shorter = key[(key.IndexOf(' ') + 1)..];
                bool atStart = n > 1 && shorter.StartsWith("0 ");
                _counts[n][shorter] = _counts[n].GetValueOrDefault(shorter) + (atStart ? count : 1);
            }
        }
        _discounts = [.. _counts.Select(counts => counts is null ? [] : Discounts(counts))];
    }

    public double Probability(int[] tokens, int at) => Probability(Key(tokens, at, _order), _order);

    private double Probability(string key, int n)
    {
        if (n == 0)
        {
            return 1.0 / _vocabulary;
        }
        double lower = Probability(key[(key.IndexOf(' ') + 1)..], n - 1);
        string context = n == 1 ? "" : key[..(key.LastIndexOf(' ') + 1)];
        int[] following = [.. _counts[n].Where(entry => entry.Key.StartsWith(context)).Select(entry => entry.Value)];
        if (following.Length == 0)
        {
            return lower;
        }
        int count = _counts[n].GetValueOrDefault(key);
        double gamma = following.Sum(c => _discounts[n][Math.Min(c, 3)]);
        return (Math.Max(0, count - _discounts[n][Math.Min(count, 3)]) + gamma * lower) / following.Sum();
    }

    private static double[] Discounts(Dictionary<string, int> counts)
    {
        double[] n = [.. Enumerable.Range(0, 5).Select(k => (double)counts.Values.Count(count => count == k))];
        double y = n[1] / (n[1] + 2 * n[2]);
        double[] discounts = [0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]];
        // Not in the paper: where there are too few counts to estimate from, half the count.
        return [.. discounts.Select((d, k) => k == 0 || (d > 0 && d <= k) ? d : k / 2.0)];
    }

    private static string Key(int[] tokens, int at, int order)
    {
        var key = new List<int> { tokens[at] };
        for (int back = 1; back < order; back++)
        {
            bool cut = key.Skip(1).Contains(0) || at - back < 0;
            key.Add(cut ? 0 : tokens[at - back]);
        }
        key.Reverse();
        return string.Join(' ', key);
    }
}
