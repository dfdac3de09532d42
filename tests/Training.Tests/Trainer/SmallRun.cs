using System.Text;
using System.Text.Json.Nodes;
using LatentMoE.Training.Data;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

/// <summary>A folder with a little text, its tokens, and a recipe of a few steps: what whole runs are tested on.</summary>
public sealed class SmallRun : IDisposable
{
    private static readonly string[] Names = ["Tom", "Lily", "Max", "Anna"], Things = ["ball", "boat", "kite", "drum"];

    public SmallRun()
    {
        Root = Directory.CreateTempSubdirectory("latentmoe-training-").FullName;
        var text = new StringBuilder();
        for (int i = 0; i < 60; i++)
        {
            string name = Names[i % 4], thing = Things[i / 4 % 4];
            text.Append($"{name} had a red {thing}. One day {name} lost the {thing} in the park. {name} was sad. Then {name} found the {thing} and was happy.\n<|endoftext|>\n");
        }
        Data = Path.Combine(Root, "stories.txt");
        File.WriteAllText(Data, text.ToString());
    }

    public string Root { get; }

    public string Data { get; }

    public string Cache => Path.Combine(Root, "cache");

    public string Output => Path.Combine(Root, "checkpoints", "small");

    public string Report => Path.Combine(Root, "report.html");

    public static Preset Preset { get; } = new(
        "small", "For tests.", Models.Latent with { VocabSize = 300, InitializerRange = 0.05 },
        new TrainingRecipe { Batch = 2, Sequence = 16, Steps = 9, LearningRate = 1e-2, WarmupSteps = 3, EvalInterval = 4, Dropout = 0.1, Dtype = "float32" });

    /// <summary>A preset of a few steps as a file, as a user would write one.</summary>
    public string PresetFile(int evalInterval = 0)
    {
        string path = Path.Combine(Root, "mini.json");
        var json = new JsonObject
        {
            ["model"] = JsonNode.Parse(Preset.Model.ToJson()),
            ["training"] = new JsonObject { ["batch"] = 2, ["sequence"] = 16, ["steps"] = 4, ["warmup_steps"] = 1, ["eval_interval"] = evalInterval, ["dtype"] = "float32" },
        };
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    public PreparedCorpus Prepare() =>
        PreparedCorpus.Prepare(new CorpusOptions { DataPath = Data, VocabularySize = Preset.Model.VocabSize, ValidationFraction = 0.2 }, Cache);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>Runs to the end, or stops after some steps as Ctrl-C does.</summary>
    /// <returns>Steps taken.</returns>
    public static int Train(PreparedCorpus corpus, string folder, string report, int stopAfter = int.MaxValue, TrainingRecipe? recipe = null,
        Action<string>? say = null)
    {
        var preset = TrainingRun.ForCorpus(Preset with { Recipe = recipe ?? Preset.Recipe }, corpus);
        using var opened = RunFolder.Open(folder, TrainingRun.Identity(preset, corpus));
        using var run = new TrainingRun(preset, corpus, opened, Models.Cpu, say);
        using var stop = new CancellationTokenSource();
        var progress = new Callback(p =>
        {
            if (p.Result.Step == stopAfter - 1) // the wish is seen after the step that follows
            {
                stop.Cancel();
            }
        });
        bool finished = run.Train(progress, stop.Token);
        run.Publish();
        if (finished)
        {
            run.Finish(report);
        }
        return run.Step;
    }

    private sealed class Callback(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
