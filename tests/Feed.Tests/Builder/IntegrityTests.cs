using System.Security.Cryptography;
using System.Text;

namespace LatentMoE.Feed.Tests.Builder;

public sealed class IntegrityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Check_PinnedFile_IsKept()
    {
        string file = _folder.Write("a.tgz", "content");
        string pin = "sha512-" + Convert.ToBase64String(SHA512.HashData(Encoding.UTF8.GetBytes("content")));

        Integrity.Check(file, "a@1.0.0", pin);

        Assert.True(File.Exists(file));
    }

    [Fact]
    public void Check_OtherFile_IsDeletedAndNamed()
    {
        string file = _folder.Write("a.tgz", "something else");
        string pin = "sha512-" + Convert.ToBase64String(SHA512.HashData(Encoding.UTF8.GetBytes("content")));
        string found = Integrity.Of(file);

        FeedException e = Assert.Throws<FeedException>(() => Integrity.Check(file, "a@1.0.0", pin));

        Assert.False(File.Exists(file));
        Assert.StartsWith("a@1.0.0:", e.Message);
        Assert.Contains($"expected {pin}", e.Message);
        Assert.Contains($"found    {found}", e.Message);
    }
}
