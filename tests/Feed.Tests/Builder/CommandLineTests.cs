namespace LatentMoE.Feed.Tests.Builder;

public sealed class CommandLineTests
{
    [Fact]
    public void Parse_AllOptions_AreTaken()
    {
        using TemporaryFolder root = new();
        root.Write("feed/packages.json", "{}");
        Assert.Equal(new CommandLine(root.Path, Cuda: true, "A.sln", "TorchSharp,Tokenizers"),
            CommandLine.Parse([$"--root={root.Path}", "--cuda", "--solution=A.sln", "--feed=TorchSharp,Tokenizers"]));
        Assert.Equal(new CommandLine(root.Path, Cuda: false, null), CommandLine.Parse([$"--root={root.Path}"]));
    }

    [Fact]
    public void Parse_UnknownArgument_NamesItAndTheUsage()
    {
        FeedException e = Assert.Throws<FeedException>(() => CommandLine.Parse(["--gpu"]));
        Assert.Contains("unknown argument '--gpu'; usage:", e.Message);
    }

    [Fact]
    public void Parse_NotARepository_SaysWhatIsMissing()
    {
        using TemporaryFolder root = new();
        FeedException e = Assert.Throws<FeedException>(() => CommandLine.Parse([$"--root={root.Path}"]));
        Assert.Contains($"{root.Path} is not the repository's root: it has no feed/packages.json", e.Message);
    }
}
