using System.Reflection;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Feed.Tests.OnnxRuntime;

public sealed class NativeLibraryTests
{
    private static readonly string PackageVersion = typeof(NativeLibraryTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "OnnxRuntimeVersion").Value!;

    [Fact]
    public void OrtEnv_NativeLibrary_IsOfThePackagesVersion()
    {
        using SessionOptions options = new();
        Assert.Equal(PackageVersion.Split('-')[0], OrtEnv.Instance().GetVersionString());
        Assert.Contains("CPUExecutionProvider", OrtEnv.Instance().GetAvailableProviders());
    }

    // The CPU-only build of the library has the same version and loads as well: only this tells the right one.
    [Fact]
    public void OrtEnv_NativeLibrary_IsBuiltWithCuda() =>
        Assert.Contains("CUDAExecutionProvider", OrtEnv.Instance().GetAvailableProviders());
}
