using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>Writes <c>rows.json</c>, <c>report.md</c> and <c>report.html</c> from the runs that are finished and the speed that was measured.</summary>
/// <param name="plan">All runs.</param>
/// <param name="folder">Where they are.</param>
/// <param name="trainer">Knows which are finished.</param>
/// <param name="arguments">Options of the Study target that repeat the study.</param>
public sealed class StudyReports(StudyPlan plan, StudyFolder folder, StudyTrainer trainer, string arguments)
{
    private const string Title = "The paper's comparisons, measured";

    public void Write()
    {
        var rows = trainer.Rows();
        var speed = SpeedGrid.Load(folder.Speed);
        var metrics = rows.ToDictionary(r => r.Run, r => MetricsLog.Read(Path.Combine(folder.Path, "runs", r.Run, "metrics.jsonl")));
        var claims = new Claims(plan.Scale, rows, speed, PaperScale());
        var sections = new StudySections(plan, rows, speed, metrics, claims, trainer.Text, arguments).All().ToList();
        var json = new { scale = plan.Scale.Name, plan.Scale.Description, text = trainer.Text, arguments, verdicts = claims.Verdicts().Select(v => new { v.Claim, v.Paper, v.Measured, Verdict = v.RulingText, v.Conditions }), rows, speed };
        Directory.CreateDirectory(folder.Path);
        AtomicFile.WriteText(folder.Rows, JsonSerializer.Serialize(json, StudyFolder.Json) + "\n");
        AtomicFile.WriteText(folder.Markdown, ReportText.Markdown(Title, sections));
        AtomicFile.WriteText(folder.Html, ReportText.Html(Title, sections));
    }

    /// <summary>Copies the reports into another folder.</summary>
    public void CopyTo(string target)
    {
        Directory.CreateDirectory(target);
        foreach (string file in new[] { folder.Rows, folder.Markdown, folder.Html })
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        }
    }

    // What the paper's scale would take, counted: three times the forward products for every token.
    private string? PaperScale()
    {
        if (plan.Scale.PaperSizes)
        {
            return null;
        }
        double flops = StudyPlan.Of(StudyScale.Load("paper")).Runs.Sum(r => 3.0 * ModelSize.Of(r.Preset.Model).FlopsPerToken * r.Preset.Recipe.Steps * r.Preset.Recipe.TokensPerStep);
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{flops:0.0e+0} floating-point operations in matrix products, counted");
    }
}
