using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Runtime.Tests.Decoding;
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

    [Fact]
    public void Find_OfABuiltProgram_IsTheLibraryBesideIt() =>
        Assert.Equal(Path.Combine(OperatorLibrary.Folders[1], OperatorLibrary.FileName), OperatorLibrary.Find(new()));

    [Theory]
    [InlineData("LatentMoE", "plain")]
    [InlineData("LatentMoE", null)]
    [InlineData("LatentDense", null)]
    public void Load_WithTheLibrary_GivesTheLogitsOfTheBodies(string name, string? isa)
    {
        int[] prompt = [.. Enumerable.Range(0, 20).Select(i => 2 + i * 37 % 260)];
        using var bodies = Open(name, new() { Device = Device.Cpu, Threads = 2, UseOperatorLibrary = false });
        using var library = Open(name, new()
        {
            Device = Device.Cpu,
            Threads = 2,
            ConfigureSession = settings => settings.AddSessionConfigEntry(isa is null ? "unused" : "latentmoe.isa", isa ?? ""),
        });
        DecoderSession expected = bodies.Rent(CancellationToken.None), actual = library.Rent(CancellationToken.None);
        expected.Prefill(prompt);
        actual.Prefill(prompt);
        for (int step = 0; step < 5; step++)
        {
            Logits.Match(expected.Logits, actual.Logits, $"{name}, {isa ?? "best"}, step {step}", tolerance: 1e-5f);
            expected.Step(11 + step);
            actual.Step(11 + step);
        }
        bodies.Return(expected);
        library.Return(actual);
    }

    [Fact]
    public void Load_ModelOfALaterVersion_IsRefusedUnlessTheBodiesServe()
    {
        using var copy = TestPackages.Copy("LatentMoE");
        // One more import: field 8 of the model with the domain in field 1 and version 2 in field 2.
        byte[] import = [0x42, 13, 0x0a, 9, .. "latentmoe"u8, 0x10, 2];
        File.AppendAllBytes(copy["model.onnx"], import);
        var error = Assert.Throws<CheckpointException>(() => LanguageModel.Load(copy.Path, new() { Device = Device.Cpu }));
        Assert.Contains("version 2 of the operators 'latentmoe'", error.Message);
        Assert.Contains("UseOperatorLibrary", error.Message);
        using var served = LanguageModel.Load(copy.Path, new() { Device = Device.Cpu, UseOperatorLibrary = false });
    }

    private static SessionPool Open(string name, LanguageModelOptions options) => new SessionFactory(ModelPackage.Open(TestPackages.Package(name)), options).Create();
}
