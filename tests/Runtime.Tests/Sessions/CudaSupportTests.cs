using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Sessions;

public class CudaSupportTests
{
    [Fact]
    public void MissingLibraries_AreNamed()
    {
        using var provider = new ElfFile("libc.so.6", "libcublas.so.99", "libonnxruntime_providers_shared.so", "libcudnn.so.99");
        string? missing = CudaSupport.MissingLibraries([provider.Folder]);
        Assert.StartsWith("libcublas.so.99, libcudnn.so.99, which ", missing);
        Assert.Contains("LD_LIBRARY_PATH", missing);
    }

    [Fact]
    public void MissingLibraries_AllThere_IsNothing()
    {
        using var provider = new ElfFile("libc.so.6", "libonnxruntime_providers_shared.so");
        Assert.Null(CudaSupport.MissingLibraries([provider.Folder]));
    }

    [Fact]
    public void MissingLibraries_WithoutTheProvider_NamesItAndTheFolders()
    {
        using var folder = new TemporaryFolder();
        string? missing = CudaSupport.MissingLibraries([folder.Path]);
        Assert.Contains("libonnxruntime_providers_cuda.so", missing);
        Assert.Contains(folder.Path, missing);
    }
}
