using System.Globalization;
using System.Net;
using System.Text;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Reports;

/// <summary>A training run as one HTML page without outside parts: its figures, the curves of <c>metrics.jsonl</c>, and a sample.</summary>
public static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem }
        figure { margin: 1.5rem 0 } svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
        .grid { stroke: currentColor; stroke-opacity: .15 } figcaption { font-size: .9rem }
        table { border-collapse: collapse; width: 100% } td, th { border-bottom: 1px solid #8884; padding: .3rem .5rem; text-align: left; vertical-align: top }
        blockquote { white-space: pre-wrap; margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #8888 }
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="path">The file; its folder is created.</param>
    /// <param name="summary">What was trained, and the figures at the end; without an evaluation while training goes on.</param>
    /// <param name="rows">The run's metrics.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(string path, TrainingSummary summary, IReadOnlyList<MetricsRow> rows)
    {
        CreateFolder(path);
        AtomicFile.WriteText(path, Render(summary, rows));
    }

    /// <summary>To be called before long work whose end is a report: creates the folder and finds out whether a file can be written in it.</summary>
    /// <exception cref="CheckpointException">It cannot.</exception>
    public static void RequireWritable(string path)
    {
        CreateFolder(path);
        if (Directory.Exists(path))
        {
            throw new CheckpointException($"{path}: is a folder; give the path of a file as --report.");
        }
        string probe = path + ".probe";
        AtomicFile.Write(probe, []);
        File.Delete(probe);
    }

    private static void CreateFolder(string path)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is string folder)
            {
                Directory.CreateDirectory(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: its folder cannot be created: {e.Message} Give another --report.", e);
        }
    }

    public static string Render(TrainingSummary summary, IReadOnlyList<MetricsRow> rows)
    {
        var html = new StringBuilder();
        string title = $"Training of {summary.Preset}";
        html.Append($"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{Text(title)}</title><style>\n{Style}\n</style></head><body>\n");
        html.Append($"<h1>{Text(title)}</h1>\n<p>{Text(summary.Description)}</p>\n");
        html.Append("<table><tbody>\n");
        foreach (var (name, value) in summary.Figures())
        {
            html.Append($"<tr><th>{Text(name)}</th><td>{Text(value)}</td></tr>\n");
        }
        html.Append("</tbody></table>\n<h2>Loss</h2>\n").Append(Loss(summary, rows));
        html.Append("<h2>Learning rate</h2>\n").Append(SvgChart.Render("Learning rate", "step", [Steps("learning rate", "#7c3aed", rows, r => r.LearningRate)], zeroBased: true));
        html.Append(SvgChart.Render("Gradient norm before clipping", "step", [Steps("gradient norm", "#b45309", rows, r => r.GradNorm)], zeroBased: true));
        html.Append(Loads(rows));
        html.Append("<h2>Speed</h2>\n").Append(SvgChart.Render("Tokens a second", "step", [Steps("tokens a second", "#047857", rows, r => r.TokensPerSecond)], zeroBased: true));
        if (summary.Sample is not null)
        {
            html.Append($"<h2>Sample</h2>\n<blockquote>{Text(summary.Sample)}</blockquote>\n");
        }
        return html.Append("</body></html>\n").ToString();
    }

    private static string Loss(TrainingSummary summary, IReadOnlyList<MetricsRow> rows)
    {
        var curves = new List<Curve>
        {
            Steps("training", "#93a4c3", rows, r => r.Loss),
            Steps("held-out", "#1d4ed8", rows, r => r.ValidationLoss),
        };
        if (summary.Baselines is { } baselines && rows.Count > 0)
        {
            double first = rows[0].Step, last = rows[^1].Step;
            curves.Add(new("bigram", "#b91c1c", [(first, baselines.Bigram), (last, baselines.Bigram)], Dashed: true));
            curves.Add(new("trigram", "#be185d", [(first, baselines.Trigram), (last, baselines.Trigram)], Dashed: true));
        }
        return SvgChart.Render("Loss (nats a token)", "step", curves);
    }

    private static string Loads(IReadOnlyList<MetricsRow> rows)
    {
        var layers = rows.FirstOrDefault(r => r.Layers is { Count: > 0 })?.Layers;
        if (layers is null)
        {
            return "";
        }
        Curve Layer(int i, Func<MetricsRow, IReadOnlyList<double>?> value) =>
            Steps($"layer {layers[i]}", $"hsl({i * 300 / layers.Count} 65% 45%)", rows, r => value(r)?[i]);
        var all = Enumerable.Range(0, layers.Count).ToList();
        return "<h2>Expert load</h2>\n"
            + SvgChart.Render("Busiest expert over the mean (1 is even)", "step", [.. all.Select(i => Layer(i, r => r.MaxLoad))])
            + SvgChart.Render("Entropy of the loads (1 is even)", "step", [.. all.Select(i => Layer(i, r => r.LoadEntropy))])
            + $"<p>Experts without a token in the last step: {rows.Last(r => r.DeadExperts is not null).DeadExperts!.Sum().ToString(CultureInfo.InvariantCulture)}.</p>\n";
    }

    private static Curve Steps(string name, string color, IReadOnlyList<MetricsRow> rows, Func<MetricsRow, double?> value) =>
        new(name, color, [.. rows.Where(r => value(r) is not null).Select(r => ((double)r.Step, value(r)!.Value))]);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
