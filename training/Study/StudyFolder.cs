using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LatentMoE.Training.Study;

/// <summary>What lies where in a study's folder.</summary>
public sealed record StudyFolder(string Path)
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The checkpoint folder of a run.</summary>
    public string Run(StudyRun run) => System.IO.Path.Combine(Path, "runs", run.Name);

    /// <summary>Models and cases whose speed is to be measured, for the benchmark program.</summary>
    public string SpeedPlan => System.IO.Path.Combine(Path, "speed-plan.json");

    /// <summary>What the benchmark program measured.</summary>
    public string Speed => System.IO.Path.Combine(Path, "speed.json");

    /// <summary>Presets of the shapes that are measured with random weights.</summary>
    public string Preset(string name) => System.IO.Path.Combine(Path, "presets", name + ".json");

    public string Rows => System.IO.Path.Combine(Path, "rows.json");
    public string Markdown => System.IO.Path.Combine(Path, "report.md");
    public string Html => System.IO.Path.Combine(Path, "report.html");
}
