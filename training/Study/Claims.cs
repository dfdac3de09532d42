using System.Globalization;

namespace LatentMoE.Training.Study;

/// <summary>The claims of the abstract of arXiv 2508.01261, each put to the rows of a study.</summary>
public sealed class Claims(StudyScale scale, IReadOnlyList<StudyRow> rows, SpeedGrid? speed, string? paperScaleTime = null)
{
    // Paper-reported figures.
    public const double CacheSaved = 68, Speedup = 3.2, PerplexityCost = 0.8, ParameterMatchedLoss = 6.9, ActiveSaved = 42, FlopMatchedLoss = 11.1;

    public IEnumerable<Verdict> Verdicts()
    {
        foreach (var family in scale.Families)
        {
            foreach (var verdict in Of(family.Name))
            {
                yield return verdict;
            }
        }
        foreach (var verdict in Speeds())
        {
            yield return verdict;
        }
        if (!scale.PaperSizes)
        {
            string time = paperScaleTime is null ? "" : $" ({paperScaleTime})";
            yield return new("Losses and perplexity at the paper's own sizes and length of training", "as above", "", Ruling.NotTestable,
                $"17M to 202M parameters over 1.3 billion tokens each need a GPU: --target=Study --scale=paper{time}");
        }
    }

    /// <summary>How much lower, in percent, one group's loss is than another's, paired by seed.</summary>
    public Interval? LossLower(string family, string group, string than) => Paired(family, group, than, (a, b) => 100 * (1 - a.Loss / b.Loss));

    /// <summary>How much higher, in percent, one group's perplexity is than another's, paired by seed.</summary>
    public Interval? PerplexityHigher(string family, string group, string than) =>
        Paired(family, group, than, (a, b) => 100 * (a.Perplexity / b.Perplexity - 1));

    private IEnumerable<Verdict> Of(string family)
    {
        var dense = First(family, StudyPlan.MhaDense);
        if (dense is null)
        {
            yield break;
        }
        string where = string.Create(CultureInfo.InvariantCulture, $"{family}: {dense.Layers} layers of width {dense.Width}, {dense.Tokens / 1e6:0.##}M tokens a run");
        if (First(family, StudyPlan.MlaDense) is { } latent)
        {
            double saved = 100 * (1 - (double)latent.CacheBytesPerToken / dense.CacheBytesPerToken);
            yield return new("Latent attention at r = d/2 saves cache", $"{CacheSaved}%", Invariant($"{saved:0.00}%: {latent.CacheBytesPerToken:N0} for {dense.CacheBytesPerToken:N0} bytes a token in float32"),
                Math.Round(saved) >= CacheSaved ? Ruling.Holds : Ruling.DoesNotHold, $"{family}; a count");
        }
        foreach (var (group, than) in new[] { (StudyPlan.MlaDense, StudyPlan.MhaDense), (StudyPlan.MlaMoE, StudyPlan.MhaMoE), (StudyPlan.MlaMoEFlop, StudyPlan.MhaMoEFlop) })
        {
            if (PerplexityHigher(family, group, than) is { } cost)
            {
                yield return new($"It costs little perplexity: {group} against {than}", $"{PerplexityCost}% higher", Signed(cost, "higher", "lower"),
                    Verdict.Rule(cost, PerplexityCost, atMost: true, scale.PaperSizes), where);
            }
        }
        if (LossLower(family, StudyPlan.MlaMoE, StudyPlan.MhaDense) is { } matched && First(family, StudyPlan.MlaMoE) is { } experts)
        {
            yield return new("Parameter-matched, its validation loss is lower than the vanilla transformer's", $"{ParameterMatchedLoss}% lower, at 53.9M parameters", Signed(matched, "lower", "higher"),
                Verdict.Rule(matched, ParameterMatchedLoss, atMost: false, scale.PaperSizes), Invariant($"{where}; {experts.TotalParameters / 1e6:0.00}M against {dense.TotalParameters / 1e6:0.00}M parameters"));
            double fewer = Fewer(experts.ActiveParameters, dense.ActiveParameters);
            double without = Fewer(experts.ActiveParameters - experts.HeadParameters, dense.ActiveParameters - dense.HeadParameters);
            yield return new("and it has fewer active parameters a token", $"{ActiveSaved}% fewer", Invariant($"{fewer:0.0}% fewer; {without:0.0}% without the head, which both have"),
                fewer >= ActiveSaved ? Ruling.Holds : without >= ActiveSaved ? Ruling.HoldsHere : Ruling.DoesNotHold, Invariant($"{family}; a count{(fewer < ActiveSaved && without >= ActiveSaved ? ": where the head is not counted" : "")}"));
        }
        if (LossLower(family, StudyPlan.MlaMoEFlop, StudyPlan.MhaDense) is { } flop && First(family, StudyPlan.MlaMoEFlop) is { } large)
        {
            yield return new("FLOP-matched, its validation loss is lower than the vanilla transformer's", $"{FlopMatchedLoss}% lower", Signed(flop, "lower", "higher"),
                Verdict.Rule(flop, FlopMatchedLoss, atMost: false, scale.PaperSizes), Invariant($"{where}; {large.FlopsPerToken / 1e6:0.00} against {dense.FlopsPerToken / 1e6:0.00} MFLOP a token"));
        }
    }

    private IEnumerable<Verdict> Speeds()
    {
        string[] contenders = [StudyPlan.MlaDense, StudyPlan.MlaMoE, StudyPlan.MlaMoEFlop];
        foreach (var set in (speed?.Rows ?? []).GroupBy(r => r.Set))
        {
            var dense = set.Where(r => r.Model == StudyPlan.MhaDense).ToDictionary(r => (r.Batch, r.Context));
            foreach (string contender in contenders)
            {
                var ratios = set.Where(r => r.Model == contender && dense.ContainsKey((r.Batch, r.Context)))
                    .Select(r => (r.Batch, r.Context, Ratio: r.TokensPerSecond / dense[(r.Batch, r.Context)].TokensPerSecond)).ToList();
                if (ratios.Count == 0)
                {
                    continue;
                }
                var reached = ratios.Where(r => r.Ratio >= Speedup).ToList();
                var best = ratios.MaxBy(r => r.Ratio);
                yield return new($"Inference is faster than the vanilla transformer's: {contender}, {set.Key}", $"{Speedup}x",
                    Invariant($"{ratios.Min(r => r.Ratio):0.00}x to {best.Ratio:0.00}x, most at batch {best.Batch} and context {best.Context}"),
                    reached.Count == ratios.Count ? Ruling.Holds : reached.Count > 0 ? Ruling.HoldsHere : Ruling.DoesNotHold,
                    (reached.Count > 0 && reached.Count < ratios.Count ? "at batch and context " + string.Join(", ", reached.Select(r => Invariant($"{r.Batch} and {r.Context}"))) + "; " : "")
                        + $"decode in {speed!.Precision} with GroupQueryAttention in the vanilla transformer, on {speed.Machine}");
            }
        }
        if (speed is null)
        {
            yield return new("Inference is faster than the vanilla transformer's", $"{Speedup}x", "", Ruling.NotTestable, "speed was not measured yet: --target=Study does it after training");
        }
    }

    private Interval? Paired(string family, string group, string than, Func<StudyRow, StudyRow, double> effect)
    {
        var other = rows.Where(r => r.Family == family && r.Group == than).ToDictionary(r => r.Seed);
        double[] effects = [.. rows.Where(r => r.Family == family && r.Group == group && other.ContainsKey(r.Seed)).Select(r => effect(r, other[r.Seed]))];
        return effects.Length == 0 ? null : Interval.Of(effects);
    }

    private StudyRow? First(string family, string group) => rows.FirstOrDefault(r => r.Family == family && r.Group == group);

    private static double Fewer(long a, long b) => 100 * (1 - (double)a / b);

    internal static string Signed(Interval x, string positive, string negative)
    {
        string spread = x.HalfWidth is double half ? Invariant($" ± {half:0.00}") : "";
        return Invariant($"{Math.Abs(x.Mean):0.00}%{spread} {(x.Mean >= 0 ? positive : negative)} ({x.Samples} {(x.Samples == 1 ? "seed" : "seeds")})");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
