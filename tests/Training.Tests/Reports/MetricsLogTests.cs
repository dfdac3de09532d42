using LatentMoE.Checkpoints;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Tests.Reports;

public sealed class MetricsLogTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"latentmoe-{Guid.NewGuid():N}.jsonl");

    public void Dispose() => File.Delete(_path);

    private static MetricsRow Row(int step) => new() { Step = step, Tokens = 100L * step, Loss = 1.0 / step, Layers = [1], MaxLoad = [1.5] };

    [Fact]
    public void Append_WritesOneObjectALine()
    {
        using (var log = new MetricsLog(_path, 0))
        {
            log.Append(Row(1));
            log.Append(new MetricsRow { Step = 1, Tokens = 100, ValidationLoss = 2.5 });
        }
        Assert.Equal(["{\"step\":1,\"tokens\":100,\"loss\":1,\"layers\":[1],\"max_load\":[1.5]}", "{\"step\":1,\"tokens\":100,\"validation_loss\":2.5}"], File.ReadAllLines(_path));
        var rows = MetricsLog.Read(_path);
        Assert.Equal((1.0, 2.5), (rows[0].Loss, rows[1].ValidationLoss));
    }

    [Fact]
    public void Constructor_DropsWhatLiesBeyondTheState()
    {
        using (var log = new MetricsLog(_path, 0))
        {
            for (int step = 1; step <= 9; step++)
            {
                log.Append(Row(step));
            }
        }
        File.AppendAllText(_path, "{\"step\":10,\"tok"); // killed while writing
        using (var log = new MetricsLog(_path, 6))
        {
            log.Append(Row(7));
        }
        Assert.Equal(Enumerable.Range(1, 7), MetricsLog.Read(_path).Select(r => r.Step));
    }

    [Fact]
    public void Constructor_WhereNoFileCanBe_NamesThePathAndTheRemedy()
    {
        File.WriteAllText(_path, "");
        string below = Path.Combine(_path, "metrics.jsonl");
        var error = Assert.Throws<CheckpointException>(() => new MetricsLog(below, 0));
        Assert.StartsWith($"{below}: cannot be written", error.Message);
        Assert.Contains("give another --output", error.Message);
    }

    [Fact]
    public void Read_NamesTheBadLine()
    {
        File.WriteAllText(_path, "{\"step\":1,\"tokens\":2}\nnonsense\n");
        Assert.Contains("line 2", Assert.Throws<CheckpointException>(() => MetricsLog.Read(_path)).Message);
    }
}
