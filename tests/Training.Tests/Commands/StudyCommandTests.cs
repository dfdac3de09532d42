using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Tests.Trainer;

namespace LatentMoE.Training.Tests.Commands;

[Collection(TorchCollection.Name)]
public sealed class StudyCommandTests : IDisposable
{
    private const int TwinsAndAblations = 6 + 8;

    private readonly SmallRun _small = new();

    public void Dispose() => _small.Dispose();

    private string Output => Path.Combine(_small.Root, "study");

    // A scale of one seed over two presets whose experts differ in width.
    private string[] Arguments(params string[] more)
    {
        string Preset(string name, int width)
        {
            var model = Models.Latent with { VocabSize = 300, NumHiddenLayers = 1, NRoutedExperts = 14, NSharedExperts = 2, NumExpertsPerTok = 2, MoeIntermediateSize = width, IntermediateSize = 64 };
            string path = Path.Combine(_small.Root, name + ".json");
            File.WriteAllText(path, new JsonObject
            {
                ["model"] = JsonNode.Parse(model.ToJson()),
                ["training"] = new JsonObject { ["batch"] = 2, ["sequence"] = 16, ["steps"] = 2, ["warmup_steps"] = 1, ["dtype"] = "float32" },
            }.ToJsonString());
            return path;
        }
        string scale = Path.Combine(_small.Root, "scale.json");
        var family = new JsonObject { ["name"] = "small", ["parameter_matched"] = Preset("small", 8), ["flop_matched"] = Preset("small-flop", 16) };
        File.WriteAllText(scale, new JsonObject
        {
            ["description"] = "For tests.", ["paper_sizes"] = false, ["families"] = new JsonArray(family), ["ablations"] = "small", ["seeds"] = 1, ["ablation_seeds"] = 1,
            ["speed"] = new JsonObject { ["precision"] = "f32", ["batches"] = new JsonArray(1), ["contexts"] = new JsonArray(0), ["shapes"] = new JsonArray(family.DeepClone()) },
        }.ToJsonString());
        return ["study", "--scale", scale, "--data", _small.Data, "--output", Output, "--cache", _small.Cache, "--device=cpu", .. more];
    }

    [Fact]
    public void Study_TrainsReportsAndIsThenUpToDate()
    {
        var (code, output) = CommandTests.Run(Arguments());
        Assert.Equal(0, code);
        Assert.Contains($"0 of {TwinsAndAblations} runs are finished", output);
        var rows = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Output, "rows.json")))!;
        Assert.Equal(TwinsAndAblations, rows["rows"]!.AsArray().Count);
        Assert.All(rows["rows"]!.AsArray(), row => Assert.InRange((double)row!["loss"]!, 1, 10));
        Assert.Contains("not resolved (the intervals overlap)", rows["verdicts"]!.AsArray().Select(v => (string)v!["verdict"]!));
        string markdown = File.ReadAllText(Path.Combine(Output, "report.md")), html = File.ReadAllText(Path.Combine(Output, "report.html"));
        foreach (string heading in new[] { "Verdicts on the abstract's claims", "Twins: small", "Ablation: rank of the latent", "Ablation: number of experts", "Use of the experts", "Every run" })
        {
            Assert.Contains($"## {heading}", markdown);
            Assert.Contains($"<h2>{System.Net.WebUtility.HtmlEncode(heading)}", html);
        }
        Assert.DoesNotMatch("(?i)(src|href)=|https?://|@import|<script", html);

        // What a finished run no longer needs is gone; what the speed is measured with is there.
        Assert.Empty(Directory.EnumerateFiles(Output, "state*.safetensors", SearchOption.AllDirectories));
        var plan = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Output, "speed-plan.json")))!;
        foreach (var model in plan["sets"]!.AsArray().SelectMany(set => set!["models"]!.AsArray()))
        {
            Assert.True(model!["checkpoint"] is { } checkpoint ? File.Exists(Path.Combine((string)checkpoint!, "model.safetensors")) : File.Exists((string)model["preset"]!));
        }

        var written = Directory.EnumerateFiles(Output, "model.safetensors", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        (code, output) = CommandTests.Run(Arguments());
        Assert.Equal(0, code);
        Assert.Contains($"{TwinsAndAblations} of {TwinsAndAblations} runs are finished", output);
        Assert.All(written, f => Assert.Equal(f.Value, File.GetLastWriteTimeUtc(f.Key)));
    }

    [Fact]
    public void Study_PlanTrainsNothing()
    {
        var (code, output) = CommandTests.Run(Arguments("--plan", "--steps=7"));
        Assert.Equal(0, code);
        Assert.Contains("small-mla-moe-flop-1", output);
        Assert.Contains("on this machine one after the other", output);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void Study_ReportBeforeTrainingSaysThatNothingIsThere()
    {
        string copies = Path.Combine(_small.Root, "kept");
        Assert.Equal(0, CommandTests.Run(Arguments("--report", "--keep", copies)).Code);
        Assert.Empty(JsonNode.Parse(File.ReadAllBytes(Path.Combine(copies, "rows.json")))!["rows"]!.AsArray());
        Assert.Contains("not testable here", File.ReadAllText(Path.Combine(copies, "report.md")));
    }

    [Fact]
    public void Study_JobsShareTheRuns()
    {
        // A run that another process holds is left to it; the others are done.
        Directory.CreateDirectory(Path.Combine(Output, "runs"));
        string held = Path.Combine(Output, "runs", "small-mha-dense-1");
        using (new FileStream(held + ".lock", FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            var (code, output) = CommandTests.Run(Arguments());
            Assert.Equal(0, code);
            Assert.Contains("small-mha-dense-1 is being trained by another process", output);
        }
        Assert.Equal(TwinsAndAblations - 1, JsonNode.Parse(File.ReadAllBytes(Path.Combine(Output, "rows.json")))!["rows"]!.AsArray().Count);
    }

    [Fact]
    public void Study_BadNumbersAreRefused() =>
        Assert.Contains("seeds is 0", Assert.Throws<CheckpointException>(() => CommandTests.Run(Arguments("--seeds=0"))).Message);
}
