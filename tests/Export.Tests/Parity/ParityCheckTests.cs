using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Tests.Parity;

public sealed class ParityCheckTests
{
    [Fact]
    public void Run_AModelThatDoesNotLoad_SaysSo()
    {
        using var folder = new CheckpointFolder();
        Exporter.Run(folder.Options);
        File.WriteAllBytes(Path.Combine(folder.Output, "model.onnx"), [1, 2, 3]);
        var error = Assert.Throws<ParityException>(() => ParityCheck.Run(folder.Output, folder.Checkpoint, folder.Config));
        Assert.Contains("does not run the package", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WeightsOfAnotherModel_NamesTheWorstTensor()
    {
        using var folder = new CheckpointFolder();
        Exporter.Run(folder.Options);
        string data = Path.Combine(folder.Output, "model.onnx.data");
        byte[] bytes = File.ReadAllBytes(data);
        Array.Reverse(bytes, 0, 4 * 48);
        File.WriteAllBytes(data, bytes);
        var error = Assert.Throws<ParityException>(() => ParityCheck.Run(folder.Output, folder.Checkpoint, folder.Config));
        Assert.Contains("differs from", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_HasTheLogitsAndTheWorstCacheTensorOfEveryMode()
    {
        var report = new ParityReport(1e-4, Measure.Maximum, "1", 1, 1,
        [
            new("logits", "full", "reference", 1, 100), new("logits", "grow", "reference", 2, 100),
            new("present.0.key", "grow", "full", 1, 10), new("present.0.value", "grow", "full", 3, 100),
        ]);
        Assert.Equal(["logits", "logits", "present.0.key"], report.Summary().Select(l => l.Tensor));
        Assert.False(report.Passed);
    }
}
