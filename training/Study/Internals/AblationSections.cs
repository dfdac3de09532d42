using System.Globalization;

namespace LatentMoE.Training.Study;

/// <summary>What changing one property of the FLOP-matched latent model with experts did.</summary>
internal sealed class AblationSections(StudyPlan plan, IReadOnlyList<StudyRow> rows)
{
    public IEnumerable<ReportSection> All()
    {
        string family = plan.Scale.Ablations;
        var baseline = rows.Where(r => r.Family == family && r.Group == StudyPlan.MlaMoEFlop).ToDictionary(r => r.Seed);
        if (baseline.Count == 0 || !rows.Any(r => r.IsAblation))
        {
            yield break;
        }
        // A single run says little: the spread of the unchanged model over seeds tells how little.
        var spread = Interval.Of([.. baseline.Values.Select(r => r.Loss)]);
        string noise = spread.HalfWidth is null ? "One seed: differences cannot be told from chance."
            : string.Create(CultureInfo.InvariantCulture, $"Differences are to the unchanged model of the same seed, whose loss over {spread.Samples} seeds is {spread.Mean:0.0000} with a range of {baseline.Values.Max(r => r.Loss) - baseline.Values.Min(r => r.Loss):0.0000}: smaller differences are not resolved.");
        yield return Section("Ablation: rank of the latent over the width", noise,
            [.. StudyPlan.RankRatios.Select(r => (Ratio(r), r == Unchanged(baseline) ? StudyPlan.MlaMoEFlop : StudyPlan.RankGroup(r)))], baseline);
        yield return Section("Ablation: number of experts, one eighth active, equal totals", noise,
            [.. StudyPlan.ExpertCounts.Select(e => ($"{e.Total} ({e.Shared} shared, top {e.Chosen} of {e.Total - e.Shared})", rows.Any(r => r.Group == StudyPlan.ExpertsGroup(e.Total)) ? StudyPlan.ExpertsGroup(e.Total) : e.Total == 64 ? StudyPlan.MlaMoEFlop : ""))], baseline);
        yield return Section("Ablation: shared experts and balancing", noise,
            [("2 shared experts, balanced", StudyPlan.MlaMoEFlop), ("no shared expert, top 8 of 64", StudyPlan.NoShared), ("no balancing", StudyPlan.NoBalancing)], baseline);
    }

    private ReportSection Section(string heading, string noise, IReadOnlyList<(string Name, string Group)> variants, Dictionary<long, StudyRow> baseline)
    {
        var lines = new List<IReadOnlyList<string>>();
        foreach (var (name, group) in variants)
        {
            var found = rows.Where(r => r.Family == plan.Scale.Ablations && r.Group == group).ToList();
            if (found.Count == 0)
            {
                continue;
            }
            double difference = found.Where(r => baseline.ContainsKey(r.Seed)).Average(r => r.Loss - baseline[r.Seed].Loss);
            lines.Add([name, I($"{found.Count}"), StudySections.Spread(Interval.Of([.. found.Select(r => r.Loss)]), "0.0000"), group == StudyPlan.MlaMoEFlop ? "" : I($"{difference:+0.0000;-0.0000}"),
                I($"{found[0].TotalParameters:N0}"), I($"{found[0].ActiveParameters:N0}"), I($"{found[0].CacheBytesPerToken:N0}"),
                found[0].Experts is { } e ? I($"{e.MaxOverMean:0.00}") : "", found[0].Experts is { } u ? I($"{100 * u.DeadShare:0.00}%") : ""]);
        }
        return new(heading, [noise], [new(["variant", "seeds", "loss", "difference", "parameters", "active", "cache bytes a token", "busiest expert over mean", "without a token"], lines)], []);
    }

    private double Unchanged(Dictionary<long, StudyRow> baseline)
    {
        var model = plan.Runs.First(r => r.Family == plan.Scale.Ablations && r.Group == baseline.Values.First().Group).Preset.Model;
        return (double)model.KvLoraRank / model.HiddenSize;
    }

    private static string Ratio(double ratio) => ratio == 1 ? "r = d" : I($"r = d/{1 / ratio:0}");

    private static string I(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
