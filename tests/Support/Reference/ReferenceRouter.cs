namespace LatentMoE.Tests.Support.Reference;

/// <summary>
/// Choice of experts for one token, from the published rules: choice by score + bias, weights from the scores alone, ties to the
/// lower index.
/// </summary>
/// <param name="TopkMethod">noaux_tc (group score: its two best), group_limited_greedy (its best) or greedy (no groups).</param>
public sealed record ReferenceRouter(
    int TopK, string ScoringFunc, bool NormTopkProb, double RoutedScalingFactor, int NGroup, int TopkGroup, string TopkMethod)
{
    /// <param name="x">One token, [d].</param>
    /// <param name="gate">[E, d]</param>
    /// <param name="position">−1 marks an idle row: experts −1, weights 0.</param>
    public (int[] Experts, double[] Weights) Choose(double[] x, float[] gate, float[] bias, long position)
    {
        if (position < 0)
        {
            return (Enumerable.Repeat(-1, TopK).ToArray(), new double[TopK]);
        }
        double[] scores = ReferenceMath.Linear(x, gate, x.Length);
        if (ScoringFunc == "softmax")
        {
            ReferenceMath.Softmax(scores);
        }
        else
        {
            scores = Array.ConvertAll(scores, z => 1 / (1 + Math.Exp(-z)));
        }
        double[] choice = [.. scores.Zip(bias, (s, b) => s + b)];
        int[] experts = [.. Candidates(choice).OrderByDescending(e => choice[e]).ThenBy(e => e).Take(TopK)];
        double[] weights = [.. experts.Select(e => scores[e])];
        double total = NormTopkProb ? weights.Sum() + 1e-20 : 1;
        return (experts, Array.ConvertAll(weights, w => w / total * RoutedScalingFactor));
    }

    private IEnumerable<int> Candidates(double[] choice)
    {
        int size = choice.Length / NGroup;
        if (NGroup == 1 || TopkMethod == "greedy")
        {
            return Enumerable.Range(0, choice.Length);
        }
        double Score(int group) => choice.Skip(group * size).Take(size).OrderDescending().Take(TopkMethod == "noaux_tc" ? 2 : 1).Sum();
        return Enumerable.Range(0, NGroup).OrderByDescending(Score).ThenBy(g => g).Take(TopkGroup)
            .SelectMany(g => Enumerable.Range(g * size, size));
    }
}
