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
        Assert.False(File.Exists(folder.State));
        return (folder.Status, folder.SetAside);
    }

    [Fact]
    public void Open_FollowsARunFromFreshToFinished()
    {
        Assert.Equal(RunStatus.Fresh, Status(Tiny));
        Assert.Equal(RunStatus.Fresh, Status(Tiny, f => File.WriteAllText(f.State, ""))); // stopped before the first save
        Assert.Equal(RunStatus.Unfinished, Status(Tiny, f => File.WriteAllText(f.Summary, "{}")));
        Assert.Equal(RunStatus.Finished, Status(Tiny + "/"));
        Assert.Equal([Tiny], Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Open_SetsOtherRunsAside()
    {
        Status(Tiny, f => File.WriteAllText(f.State, "first"));
        Assert.Equal((RunStatus.Fresh, Tiny + ".1"), Open(6));
        Assert.Equal("first", File.ReadAllText(Path.Combine(Tiny + ".1", "trainer_state", "state.safetensors")));
        Assert.Equal((RunStatus.Fresh, Tiny + ".2"), Open(7));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)] // another recipe: the live run's folder must not move
    public void Open_IsExclusive(int steps)
    {
        using (var live = RunFolder.Open(Tiny, Identity(5)))
        {
            Assert.Contains("another process is training here", Assert.Throws<CheckpointException>(() => RunFolder.Open(Tiny, Identity(steps))).Message);
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
