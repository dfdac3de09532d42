using LatentMoE.Runtime.Internals.Sessions;

namespace LatentMoE.Runtime.Tests.Sessions;

public class SharedObjectTests
{
    [Fact]
    public void Dependencies_OfARealLibrary_NameTheCLibrary()
    {
        string path = Directory.GetFiles(AppContext.BaseDirectory, "libonnxruntime.so", SearchOption.AllDirectories)[0];
        Assert.Contains("libc.so.6", SharedObject.Dependencies(path));
    }

    [Fact]
    public void Dependencies_AreNamedInTheirOrder()
    {
        using var file = new ElfFile("libcublas.so.13", "libcudnn.so.9");
        Assert.Equal(["libcublas.so.13", "libcudnn.so.9"], SharedObject.Dependencies(file.Path));
    }

    [Fact]
    public void Dependencies_OfAnythingElse_AreNone()
    {
        Assert.Empty(SharedObject.Dependencies(typeof(SharedObjectTests).Assembly.Location));
        Assert.Empty(SharedObject.Dependencies("/nowhere/libnone.so"));
    }

    [Fact]
    public void Dependencies_OfADamagedFile_AreReadWithoutFailing()
    {
        using var file = new ElfFile("libcublas.so.13", "libcudnn.so.9");
        byte[] whole = File.ReadAllBytes(file.Path);
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = whole[..random.Next(1, whole.Length + 1)];
            for (int change = 0; change < 4; change++)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }
            File.WriteAllBytes(file.Path, damaged);
            Assert.All(SharedObject.Dependencies(file.Path), Assert.NotNull);
        }
    }
}
