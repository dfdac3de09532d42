using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

public sealed class RunFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("latentmoe-run-").FullName;

    private string Tiny => Path.Combine(_root, "tiny");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static JsonObject Identity(int steps) => new() { ["preset"] = "tiny", ["training"] = new JsonObject { ["Steps"] = steps, ["LearningRate"] = 3e-4 } };

    private RunStatus Status(string path, Action<RunFolder>? then = null)
    {
        using var folder = RunFolder.Open(path, Identity(5));
        then?.Invoke(folder);
        return folder.Status;
    }

    private (RunStatus, string?) Open(int steps)
    {
        using var folder = RunFolder.Open(Tiny, Identity(steps));
        Assert.Empty(folder.States.NewestFirst);
        return (folder.Status, folder.SetAside);
    }

    [Fact]
    public void Open_FollowsARunFromFreshToFinished()
    {
        Assert.Equal(RunStatus.Fresh, Status(Tiny));
        Assert.Equal(RunStatus.Fresh, Status(Tiny, f => File.WriteAllText(f.States.PathOf(3), ""))); // stopped before the first save
        Assert.Equal(RunStatus.Unfinished, Status(Tiny, f => File.WriteAllText(f.Summary, "{}")));
        Assert.Equal(RunStatus.Finished, Status(Tiny + "/"));
        Assert.Equal([Tiny], Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Open_TakesWhatAKilledProcessLeft()
    {
        Directory.CreateDirectory(Path.Combine(Tiny, "trainer_state"));
        File.WriteAllText(Path.Combine(Tiny, "trainer_state", "recipe.json.partial"), "{");
        Assert.Equal(RunStatus.Fresh, Status(Tiny));
        File.WriteAllText(Path.Combine(Tiny, "model.safetensors.partial"), "half");
        File.WriteAllText(Path.Combine(Tiny, "trainer_state", "step-00000003.safetensors.partial"), "half");
        Assert.Equal(RunStatus.Fresh, Status(Tiny));
        Assert.Equal(["recipe.json"], Directory.GetFiles(Tiny, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!));
    }

    [Fact]
    public void Open_TakesTheOneStateOfEarlierVersions()
    {
        Status(Tiny, f => File.WriteAllText(Path.Combine(Tiny, "trainer_state", "state.safetensors"), "former"));
        Assert.Equal(RunStatus.Unfinished, Status(Tiny));
    }

    [Fact]
    public void RecordedSequence_OfTheBestIsThatOfItsRun()
    {
        using var folder = RunFolder.Open(Tiny, new JsonObject { ["training"] = new JsonObject { ["Sequence"] = 48 } });
        Directory.CreateDirectory(folder.Best);
        Assert.Equal(48, RunFolder.RecordedSequence(Tiny));
        Assert.Equal(48, RunFolder.RecordedSequence(folder.Best));
        Assert.Equal(48, RunFolder.RecordedSequence(folder.Best + "/"));
    }

    [Fact]
    public void Open_SetsOtherRunsAside()
    {
        Status(Tiny, f => File.WriteAllText(f.States.PathOf(3), "first"));
        Assert.Equal((RunStatus.Fresh, Tiny + ".1"), Open(6));
        Assert.Equal("first", File.ReadAllText(Path.Combine(Tiny + ".1", "trainer_state", "step-00000003.safetensors")));
        Assert.Equal((RunStatus.Fresh, Tiny + ".2"), Open(7));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)] // another recipe: the live run's folder must not move
    public void Open_IsExclusive(int steps)
    {
        using (var live = RunFolder.Open(Tiny, Identity(5)))
        {
            Assert.Contains("another process is training here", Assert.Throws<FolderBusyException>(() => RunFolder.Open(Tiny, Identity(steps))).Message);
            Assert.Equal([Tiny], Directory.GetDirectories(_root));
        }
        RunFolder.Open(Tiny, Identity(steps)).Dispose();
    }

    [Theory]
    [InlineData("file", "file: is a file")]
    [InlineData("file/below", "give another --output")]
    public void Open_WhereNoFolderCanBe_NamesThePathAndTheRemedy(string name, string expected)
    {
        File.WriteAllText(Path.Combine(_root, "file"), "mine");
        var error = Assert.Throws<CheckpointException>(() => RunFolder.Open(Path.Combine(_root, name), Identity(5)));
        Assert.StartsWith(Path.Combine(_root, name) + ": ", error.Message);
        Assert.Contains(expected, error.Message);
        Assert.Single(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Open_RefusesAFolderOfOtherThings()
    {
        Directory.CreateDirectory(Tiny);
        File.WriteAllText(Path.Combine(Tiny, "notes.txt"), "mine");
        Assert.Contains("holds no training run", Assert.Throws<CheckpointException>(() => RunFolder.Open(Tiny, Identity(5))).Message);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Tiny, "notes.txt")));
    }
}
