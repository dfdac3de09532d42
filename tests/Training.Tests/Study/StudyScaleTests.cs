using LatentMoE.Checkpoints;
using LatentMoE.Training.Study;

namespace LatentMoE.Training.Tests.Study;

public sealed class StudyScaleTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"latentmoe-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Load_KnowsTheTwoScales()
    {
        Assert.Equal(["cpu", "paper"], StudyScale.Known);
        Assert.False(StudyScale.Load("cpu").PaperSizes);
        var paper = StudyScale.Load("paper");
        Assert.True(paper.PaperSizes);
        Assert.Equal(["xs", "s", "m", "l", "xl"], paper.Families.Select(f => f.Name));
    }

    [Fact]
    public void Load_UnknownScaleNamesTheKnown()
    {
        var error = Assert.Throws<CheckpointException>(() => StudyScale.Load("huge"));
        Assert.Contains("cpu, paper", error.Message);
    }

    [Theory]
    [InlineData("\"seeds\": 3", "\"seeds\": 0", "seeds is 0")]
    [InlineData("\"seeds\": 3", "\"seed\": 3", "seed")]
    [InlineData("\"ablations\": \"study\"", "\"ablations\": \"m\"", "ablations is \"m\"; expected the name of a family: study")]
    [InlineData("\"ablation_seeds\": 1", "\"ablation_seeds\": 4", "ablation_seeds is 4")]
    [InlineData("\"batches\": [1, 4, 16]", "\"batches\": [0]", "speed.batches")]
    public void Load_WrongValuesAreNamed(string from, string to, string message)
    {
        string json = File.ReadAllText(Path.Combine(StudyScale.Folder, "cpu.json"));
        Assert.Contains(from, json);
        File.WriteAllText(_file, json.Replace(from, to, StringComparison.Ordinal));
        var error = Assert.Throws<CheckpointException>(() => StudyScale.Load(_file));
        Assert.Contains(_file, error.Message);
        Assert.Contains(message, error.Message);
    }
}
