using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Packages;

[Collection(nameof(TestPackages))]
public class OperatorLibraryTests
{
    [Fact]
    public void Folders_AreThoseOfTheProgram()
    {
        string own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        Assert.Equal([own, Path.Combine(own, "runtimes", "linux-x64", "native")], OperatorLibrary.Folders);
    }

    [Fact]
    public void Find_TakesTheFirstFolderThatHasIt()
    {
        using var root = new TemporaryFolder();
        string[] folders = [root["empty"], root["first"], root["second"]];
        Assert.Null(OperatorLibrary.Find(new(), folders));
        foreach (string folder in folders)
        {
            Directory.CreateDirectory(folder);
        }
        string[] files = [.. folders[1..].Select(folder => Path.Combine(folder, "liblatentmoe_ops.so"))];
        File.WriteAllText(files[1], "");
        Assert.Equal(files[1], OperatorLibrary.Find(new(), folders));
        File.WriteAllText(files[0], "");
        Assert.Equal(files[0], OperatorLibrary.Find(new(), folders));
        Assert.Equal(files[1], OperatorLibrary.Find(new() { OperatorLibrary = files[1] }, folders));
        Assert.Null(OperatorLibrary.Find(new() { UseOperatorLibrary = false }, folders));
    }

    [Fact]
    public void Find_SomethingThatIsNoLibrary_FailsToRegisterByItsName()
    {
        using var root = new TemporaryFolder();
        File.WriteAllText(root[OperatorLibrary.FileName], "not a library");
        string? found = OperatorLibrary.Find(new(), [root.Path]);
        var error = Assert.Throws<CheckpointException>(() => TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, OperatorLibrary = found }));
        Assert.StartsWith($"{root[OperatorLibrary.FileName]}: ONNX Runtime cannot register it", error.Message);
        Assert.Contains("UseOperatorLibrary", error.Message);
    }
}
