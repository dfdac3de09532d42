using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace LatentMoE.Feed.Tests.Builder;

public sealed class TarballTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal static void Write(string path, params (string Name, string Content)[] files)
    {
        using FileStream file = File.Create(path);
        using GZipStream zipped = new(file, CompressionLevel.Fastest);
        using TarWriter writer = new(zipped);
        foreach ((string name, string content) in files)
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
            });
    }

    [Fact]
    public void Extract_Prefixes_SelectsBelowTheTopFolder()
    {
        string tarball = _folder["a.tgz"];
        Write(tarball, ("package/LICENSE", "mit"), ("package/Runtime/A/B.cs", "code"), ("package/Plugins/big.so", "no"));

        Tarball.Extract(tarball, _folder["out"], ["LICENSE", "Runtime/"]);

        Assert.Equal("mit", File.ReadAllText(_folder["out/LICENSE"]));
        Assert.Equal("code", File.ReadAllText(_folder["out/Runtime/A/B.cs"]));
        Assert.False(Directory.Exists(_folder["out/Plugins"]));
    }

    [Fact]
    public void Extract_EntryOutside_Fails()
    {
        string tarball = _folder["a.tgz"];
        Write(tarball, ("package/Runtime/../../../escaped.txt", "no"));

        FeedException e = Assert.Throws<FeedException>(() => Tarball.Extract(tarball, _folder["x/out"], ["Runtime/"]));

        Assert.Contains("points outside", e.Message);
        Assert.Empty(Directory.GetFiles(_folder.Path, "escaped.txt", SearchOption.AllDirectories));
    }
}
