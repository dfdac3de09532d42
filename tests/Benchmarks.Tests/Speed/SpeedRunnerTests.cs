using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Speed;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Benchmarks.Tests.Speed;

public sealed class SpeedRunnerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_MeasuresEveryModelAtEveryPointOnce()
    {
        string latent = Checkpoint("latent", ExportedPackage.Config), twin = Checkpoint("twin", ExportedPackage.Twin);
        var plan = new SpeedPlan("f32", [1, 2], [0, 8], [new("trained", [new("latent", Checkpoint: latent), new("twin", Checkpoint: twin)])]);
        var rows = Run(plan, []);
        Assert.Equal(
            from context in plan.Contexts from batch in plan.Batches from model in new[] { "latent", "twin" } select (model, batch, context),
            rows.Select(r => (r.Model, r.Batch, r.Context)));
        Assert.All(rows, row =>
        {
            var config = row.Model == "latent" ? ExportedPackage.Config : ExportedPackage.Twin;
            Assert.True(row.Minimum > 0 && row.Minimum <= row.TokensPerSecond && row.TokensPerSecond <= row.Maximum);
            Assert.Equal(row.Batch * (row.Context + 3) * ModelSize.Of(config).CacheNumbersPerToken * sizeof(float), row.CacheBytes);
            Assert.Equal((2, 3), (row.Runs, row.Steps));
        });

        // A set that is complete is taken as it is; one of other steps is measured anew.
        Assert.Equal(rows, Run(plan, rows));
        Assert.NotEqual(rows, Run(plan, [.. rows.Select(r => r with { Steps = 99 })]));
    }

    [Theory]
    [InlineData("""{ "precision": "f32", "batches": [1], "contexts": [0], "sets": [ { "name": "a", "models": [ { "name": "m" } ] } ] }""", "model m names neither a checkpoint nor a preset")]
    [InlineData("""{ "precision": "f32", "batches": [1], "contexts": [0] }""", "sets")]
    [InlineData("not JSON", "not a plan")]
    public void Load_WhatIsNoPlanIsRefused(string json, string message)
    {
        string path = Path.Combine(_folder.Path, "plan.json");
        File.WriteAllText(path, json);
        var error = Assert.Throws<CheckpointException>(() => SpeedPlan.Load(path));
        Assert.Contains(path, error.Message);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Load_ReadsWhatAStudyWrites()
    {
        string path = Path.Combine(_folder.Path, "plan.json");
        File.WriteAllText(path, """
            { "precision": "f32", "batches": [1, 16], "contexts": [0, 512], "sets": [
              { "name": "trained", "models": [ { "name": "mha-dense", "checkpoint": "/c" } ] },
              { "name": "m", "models": [ { "name": "mla-moe", "preset": "/m.json", "twin": "mla-moe" } ] } ] }
            """);
        var plan = SpeedPlan.Load(path);
        Assert.Equal([1, 16], plan.Batches);
        Assert.Equal(["/c", null], plan.Sets.Select(s => s.Models[0].Checkpoint));
        Assert.Equal("mla-moe", plan.Sets[1].Models[0].Twin);
    }

    private IReadOnlyList<SpeedRow> Run(SpeedPlan plan, IReadOnlyList<SpeedRow> known)
    {
        IReadOnlyList<SpeedRow> saved = [];
        new SpeedRunner(plan, Engine.Of(Engine.LatentMoE, null), Path.Combine(_folder.Path, "packages"), threads: 1, runs: 2, steps: 3, _ => { })
            .Run(known, rows => saved = [.. rows]);
        return saved;
    }

    private string Checkpoint(string name, ModelConfig config)
    {
        string path = Path.Combine(_folder.Path, name);
        RandomCheckpoint.Write(path, config, tokens: 8);
        return path;
    }
}
