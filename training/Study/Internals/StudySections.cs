using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>The parts of a study's report.</summary>
internal sealed class StudySections(
    StudyPlan plan, IReadOnlyList<StudyRow> rows, SpeedGrid? speed, IReadOnlyDictionary<string, IReadOnlyList<MetricsRow>> metrics,
    Claims claims, string text, string arguments)
{
    private static readonly string[] Colors = ["#1d4ed8", "#b91c1c", "#047857", "#7c3aed", "#b45309", "#be185d", "#0e7490", "#4d7c0f", "#a21caf", "#475569"];

    public IEnumerable<ReportSection> All()
    {
        yield return Head();
        yield return new("Verdicts on the abstract's claims",
            ["arXiv 2508.01261. Figures in the second column are paper-reported. Ours are means over seeds with 95% intervals (Student's t), paired by seed: twins of a seed read the same text in the same order."],
            [new(["claim", "paper-reported", "measured here", "verdict", "conditions"], [.. claims.Verdicts().Select(v => (IReadOnlyList<string>)[v.Claim, v.Paper, v.Measured, v.RulingText, v.Conditions])])], []);
        foreach (var family in plan.Scale.Families)
        {
            yield return Twins(family.Name);
        }
        var ablations = new AblationSections(plan, rows);
        foreach (var section in ablations.All())
        {
            yield return section;
        }
        yield return Experts();
        foreach (var section in speed is null ? [] : new SpeedSections(speed).All())
        {
            yield return section;
        }
        yield return new("Every run", [], [new(["run", "steps", "tokens", "loss", "perplexity", "bits a byte", "parameters", "active", "tokens/s in training"],
            [.. rows.Select(r => (IReadOnlyList<string>)[r.Run, I($"{r.Steps}"), I($"{r.Tokens:N0}"), I($"{r.Loss:0.0000}"), I($"{r.Perplexity:0.000}"), I($"{r.BitsPerByte:0.0000}"), I($"{r.TotalParameters:N0}"), I($"{r.ActiveParameters:N0}"), I($"{r.TokensPerSecond:N0}")])])], []);
    }

    private ReportSection Head()
    {
        var sentences = new List<string>
        {
            plan.Scale.Description,
            $"Text: {text}",
            $"`dotnet cake build --target=Study {arguments}` repeats it; a run that is finished is not done again.",
        };
        if (rows.Count > 0)
        {
            sentences.Add(I($"{rows.Count} of {plan.Runs.Count} runs are finished, of {rows.Min(r => r.Tokens):N0} to {rows.Max(r => r.Tokens):N0} tokens ({rows.Max(r => r.Epochs):0.00} epochs at most), on {string.Join("; ", rows.Select(r => r.Device).Distinct())}. One recipe for all: no learning rate was tuned for any twin. Loss: nats a token on all {rows[0].HeldOutTokens:N0} held-out tokens, in float32."));
        }
        return new("", sentences, [], []);
    }

    private ReportSection Twins(string family)
    {
        var lines = new List<IReadOnlyList<string>>();
        foreach (string group in StudyPlan.Twins)
        {
            var found = Of(family, group);
            if (found.Count == 0)
            {
                continue;
            }
            var loss = Interval.Of([.. found.Select(r => r.Loss)]);
            var perplexity = Interval.Of([.. found.Select(r => r.Perplexity)]);
            var lower = group == StudyPlan.MhaDense ? null : claims.LossLower(family, group, StudyPlan.MhaDense);
            string paper = group switch
            {
                StudyPlan.MlaMoE => I($"{Claims.ParameterMatchedLoss}% lower"),
                StudyPlan.MlaMoEFlop => I($"{Claims.FlopMatchedLoss}% lower"),
                _ => "",
            };
            lines.Add([group, I($"{found.Count}"), Spread(loss, "0.0000"), Spread(perplexity, "0.000"), lower is null ? "" : Claims.Signed(lower, "lower", "higher"), paper,
                I($"{found[0].TotalParameters:N0}"), I($"{found[0].ActiveParameters:N0}"), I($"{found[0].FlopsPerToken / 1e6:0.00}"), I($"{found[0].CacheBytesPerToken:N0}")]);
        }
        var curves = StudyPlan.Twins.Where(g => Of(family, g).Count > 0).Select((g, i) => Mean(family, g, i, m => m.ValidationLoss)).ToList();
        return new($"Twins: {family}",
            ["mha: multi-head attention, mla: latent attention with r = d/2; moe: 2 shared and 6 of 62 routed experts, which in all hold the parameters of the dense part; -flop: the active ones do its work."],
            [new(["twin", "seeds", "loss", "perplexity", "loss against mha-dense", "paper-reported", "parameters", "active", "MFLOP a token", "cache bytes a token"], lines)],
            [new("Held-out loss (nats a token), mean over seeds", "step", curves)]);
    }

    private ReportSection Experts()
    {
        var groups = rows.Where(r => r.Experts is not null).GroupBy(r => (r.Family, r.Group)).ToList();
        var lines = groups.Select(g => (IReadOnlyList<string>)[g.Key.Family, g.Key.Group, I($"{g.Average(r => r.Experts!.MaxOverMean):0.00}"), I($"{g.Average(r => r.Experts!.Entropy):0.0000}"), I($"{100 * g.Average(r => r.Experts!.DeadShare):0.00}%")]).ToList();
        Curve Load(int i, Func<MetricsRow, double?> value) => Mean(groups[i].Key.Family, groups[i].Key.Group, i, value);
        return new("Use of the experts", ["Over the last tenth of each run, averaged over layers and seeds: load of the busiest expert over the mean, entropy of the loads over that of even ones, experts that a step left without a token. Charts: over time."],
            [new(["family", "group", "busiest over mean", "entropy", "without a token"], lines)],
            [
                new("Busiest expert over the mean (1 is even)", "step", [.. groups.Select((_, i) => Load(i, m => m.MaxLoad is { Count: > 0 } loads ? loads.Average() : null))]),
                new("Entropy of the loads (1 is even)", "step", [.. groups.Select((_, i) => Load(i, m => m.LoadEntropy is { Count: > 0 } entropies ? entropies.Average() : null))]),
            ]);
    }

    private List<StudyRow> Of(string family, string group) => [.. rows.Where(r => r.Family == family && r.Group == group)];

    private Curve Mean(string family, string group, int index, Func<MetricsRow, double?> value) => new(
        plan.Scale.Families.Count > 1 ? $"{family} {group}" : group, Colors[index % Colors.Length],
        [.. Of(family, group).SelectMany(r => metrics[r.Run]).Where(m => value(m) is not null).GroupBy(m => m.Step).OrderBy(g => g.Key).Select(g => ((double)g.Key, g.Average(m => value(m)!.Value)))]);

    internal static string Spread(Interval x, string format) =>
        x.Mean.ToString(format, CultureInfo.InvariantCulture) + (x.HalfWidth is double half ? " ± " + half.ToString(format, CultureInfo.InvariantCulture) : "");

    private static string I(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
