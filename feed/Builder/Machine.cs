using System.Runtime.InteropServices;

namespace LatentMoE.Feed;

internal static class Machine
{
    public static bool HasNvidiaDriver => File.Exists("/proc/driver/nvidia/version");

    /// <summary>Whether this machine's library is older than the symbol.</summary>
    public static bool Lacks(UncalledSymbol symbol) =>
        NativeLibrary.TryLoad(symbol.Library, out nint library) && !NativeLibrary.TryGetExport(library, symbol.Symbol, out _);

    /// <exception cref="FeedException">The feed's native parts are for linux-x64 only.</exception>
    public static void RequireLinuxX64(IEnumerable<string> ids)
    {
        if (OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64)
            return;
        throw new FeedException(
            $"the configured NuGet sources lack {string.Join(", ", ids)}, and the feed can build these for linux-x64 only, not for "
            + $"{RuntimeInformation.RuntimeIdentifier}: add a source that carries them (dotnet nuget add source URL)");
    }
}
