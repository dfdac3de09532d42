using LatentMoE.Checkpoints;
using LatentMoE.Export.Package;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Package;

public sealed class PackageFolderTests
{
    [Fact]
    public void Publish_GivesTheFolderItsName()
    {
        using var root = new TemporaryFolder();
        using (var folder = PackageFolder.Create(root["a/b"], root["source"]))
        {
            Assert.Equal(root["a/b"] + ".partial", folder.Path);
            File.WriteAllText(Path.Combine(folder.Path, "x"), "1");
            Assert.False(Directory.Exists(root["a/b"]));
            folder.Publish();
        }
        Assert.Equal([root["a/b/x"]], Directory.EnumerateFileSystemEntries(root["a/b"]));
        Assert.Equal([root["a/b"]], Directory.EnumerateFileSystemEntries(root["a"]));
    }

    [Fact]
    public void Publish_ReplacesAPackageWhole()
    {
        using var root = new TemporaryFolder();
        Old(root["p"]);
        using (var folder = PackageFolder.Create(root["p"], root["source"]))
        {
            File.WriteAllText(Path.Combine(folder.Path, "new"), "");
            Assert.True(File.Exists(root["p/old"]));
            folder.Publish();
        }
        Assert.Equal([root["p/new"]], Directory.EnumerateFileSystemEntries(root["p"]));
        Assert.Equal([root["p"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Dispose_Unpublished_KeepsWhatWasThere()
    {
        using var root = new TemporaryFolder();
        Old(root["p"]);
        PackageFolder.Create(root["p"], root["source"]).Dispose();
        Assert.True(File.Exists(root["p/old"]));
        Assert.Equal([root["p"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Create_RemovesWhatAnInterruptedExportLeft()
    {
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root["p.partial/sub"]);
        File.WriteAllText(root["p.partial/model.onnx.data"], "half");
        File.WriteAllText(root["p.partial.lock"], "");
        using (var folder = PackageFolder.Create(root["p"], root["source"]))
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Publish_WithoutExchange_ReplacesAPackageWhole()
    {
        using var root = new TemporaryFolder();
        Old(root["p"]);
        using (var folder = PackageFolder.Create(root["p"], root["source"]))
        {
            File.WriteAllText(Path.Combine(folder.Path, "new"), "");
            folder.Publish((_, _) => false);
        }
        Assert.Equal([root["p/new"]], Directory.EnumerateFileSystemEntries(root["p"]));
        Assert.Equal([root["p"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Publish_WithoutExchangeAndFailing_PutsTheOldPackageBack()
    {
        using var root = new TemporaryFolder();
        Old(root["p"]);
        using (var folder = PackageFolder.Create(root["p"], root["source"]))
        {
            Assert.ThrowsAny<IOException>(() => folder.Publish((partial, _) =>
            {
                Directory.Delete(partial);
                return false;
            }));
        }
        Assert.True(File.Exists(root["p/old"]));
        Assert.Equal([root["p"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Create_AfterPublishingStoppedHalfway_RestoresTheOldPackage()
    {
        using var root = new TemporaryFolder();
        Old(root["p.partial.old"]);
        Directory.CreateDirectory(root["p.partial"]);
        PackageFolder.Create(root["p"], root["source"]).Dispose();
        Assert.True(File.Exists(root["p/old"]));
        Assert.Equal([root["p"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Publish_KeepsOthersOutUntilDisposed()
    {
        using var root = new TemporaryFolder();
        Old(root["p"]);
        using var folder = PackageFolder.Create(root["p"], root["source"]);
        folder.Publish();
        Assert.Contains("another export", Assert.Throws<CheckpointException>(() => PackageFolder.Create(root["p"], root["source"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "{}")]
    [InlineData(true, "{ \"tool\": { \"name\": \"other\" } }")]
    [InlineData(true, "not JSON")]
    [InlineData(false, "{ \"tool\": { \"name\": \"LatentMoE.Export\" } }")]
    public void Create_OverAManifestOfSomethingElse_Refuses(bool genAI, string manifest)
    {
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root["site"]);
        File.WriteAllText(root["site/manifest.json"], manifest);
        if (genAI)
        {
            File.WriteAllText(root["site/genai_config.json"], "{}");
        }
        Assert.Contains("not a model package", Assert.Throws<CheckpointException>(() => PackageFolder.Create(root["site"], root["source"])).Message, StringComparison.Ordinal);
        Assert.Equal([root["site"]], Directory.EnumerateFileSystemEntries(root.Path));
    }

    [Fact]
    public void Create_WhileAnotherWrites_Refuses()
    {
        using var root = new TemporaryFolder();
        using var first = PackageFolder.Create(root["p"], root["source"]);
        Assert.Contains("another export", Assert.Throws<CheckpointException>(() => PackageFolder.Create(root["p"], root["source"])).Message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(first.Path));
    }

    [Fact]
    public void Create_OverSomethingElse_Refuses()
    {
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root["work"]);
        File.WriteAllText(root["work/thesis.txt"], "");
        Assert.Contains("not a model package", Assert.Throws<CheckpointException>(() => PackageFolder.Create(root["work"], root["source"])).Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => PackageFolder.Create(root["work/thesis.txt"], root["source"]));
    }

    [Theory]
    [InlineData("source")]
    [InlineData(".")]
    public void Create_OverTheCheckpoint_Refuses(string output)
    {
        using var root = new TemporaryFolder();
        Old(root["source"]);
        Assert.Contains("the checkpoint folder", Assert.Throws<CheckpointException>(() => PackageFolder.Create(root[output], root["source"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_IntoAnEmptyFolder_IsAllowed()
    {
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root["p"]);
        using (var folder = PackageFolder.Create(root["p"], root["source"]))
        {
            File.WriteAllText(Path.Combine(folder.Path, "x"), "1");
            folder.Publish();
        }
        Assert.True(File.Exists(root["p/x"]));
    }

    private static void Old(string path)
    {
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "old"), "");
        File.WriteAllText(Path.Combine(path, "manifest.json"), """{ "tool": { "name": "LatentMoE.Export" } }""");
        File.WriteAllText(Path.Combine(path, "genai_config.json"), "{}");
    }
}
