using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Tests.Checkpoint;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("latentmoe-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_AFailureKeepsWhatWasThere()
    {
        string path = Path.Combine(_folder, "a.txt");
        AtomicFile.WriteText(path, "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public void Write_RemovesWhatAKilledProcessLeftAndNothingElse()
    {
        string path = Path.Combine(_folder, "a.txt"), running = $"{path}.1.partial";
        File.WriteAllText($"{path}.{int.MaxValue}.partial", "half");
        File.WriteAllText(running, "another process writes here");
        File.WriteAllText($"{path}.notes.partial", "a user's file");
        AtomicFile.WriteText(path, "new");
        Assert.Equal(["a.txt", "a.txt.1.partial", "a.txt.notes.partial"], Directory.EnumerateFiles(_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }
}
