using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Study;

/// <summary>A model whose speed is measured: a trained checkpoint, or random weights of a preset.</summary>
/// <param name="Name">In the rows.</param>
/// <param name="Checkpoint">Folder of a trained one.</param>
/// <param name="Preset">File of a preset, for random weights.</param>
/// <param name="Twin">Of that preset.</param>
public sealed record SpeedModel(string Name, string? Checkpoint = null, string? Preset = null, string? Twin = null);

/// <summary>Models that are measured in turns, so that a machine that drifts drifts for all of them.</summary>
public sealed record SpeedSet(string Name, IReadOnlyList<SpeedModel> Models);

/// <summary><c>speed-plan.json</c>: what the benchmark program is to measure.</summary>
public sealed record SpeedPlan(string Precision, IReadOnlyList<int> Batches, IReadOnlyList<int> Contexts, IReadOnlyList<SpeedSet> Sets)
{
    public const string Trained = "trained";

    // Room for a context and the steps after it, whatever the preset was trained with.
    private const int Positions = 4096;

    /// <summary>The plan of a study: the first seed of every twin and of the ablated ranks of its first family, then shapes of random weights.</summary>
    public static SpeedPlan Of(StudyPlan plan, StudyFolder folder)
    {
        var speed = plan.Scale.Speed;
        var trained = plan.Runs.Where(r => r.Seed == 1 && r.Family == plan.Scale.Families[0].Name
            && (!r.IsAblation || r.Group.StartsWith("rank-", StringComparison.Ordinal)));
        return new(speed.Precision, speed.Batches, speed.Contexts,
        [
            new(Trained, [.. trained.Select(r => new SpeedModel(r.Group, Checkpoint: Path.GetFullPath(folder.Run(r))))]),
            .. speed.Shapes.Select(shape => new SpeedSet(shape.Name, [.. Shape(shape, folder)])),
        ]);
    }

    /// <summary>Writes the plan and the presets that it names.</summary>
    public void Write(StudyPlan plan, StudyFolder folder)
    {
        foreach (var shape in plan.Scale.Speed.Shapes)
        {
            foreach (string preset in new[] { shape.ParameterMatched, shape.FlopMatched })
            {
                string path = folder.Preset(Path.GetFileNameWithoutExtension(preset));
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var node = JsonNode.Parse(File.ReadAllBytes(PresetFile.Find(preset)), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip })!;
                node["model"]!["max_position_embeddings"] = Positions;
                AtomicFile.WriteText(path, node.ToJsonString(StudyFolder.Json) + "\n");
            }
        }
        AtomicFile.WriteText(folder.SpeedPlan, JsonSerializer.Serialize(this, StudyFolder.Json) + "\n");
    }

    private static IEnumerable<SpeedModel> Shape(StudyFamily shape, StudyFolder folder)
    {
        string File(string preset) => Path.GetFullPath(folder.Preset(Path.GetFileNameWithoutExtension(preset)));
        yield return new(StudyPlan.MhaDense, Preset: File(shape.ParameterMatched), Twin: Twin.MhaDense);
        yield return new(StudyPlan.MlaDense, Preset: File(shape.ParameterMatched), Twin: Twin.MlaDense);
        yield return new(StudyPlan.MhaMoE, Preset: File(shape.ParameterMatched), Twin: Twin.MhaMoE);
        yield return new(StudyPlan.MlaMoE, Preset: File(shape.ParameterMatched), Twin: Twin.MlaMoE);
        yield return new(StudyPlan.MhaMoEFlop, Preset: File(shape.FlopMatched), Twin: Twin.MhaMoE);
        yield return new(StudyPlan.MlaMoEFlop, Preset: File(shape.FlopMatched), Twin: Twin.MlaMoE);
    }
}
