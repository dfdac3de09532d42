using System.Diagnostics;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests;

/// <summary>A file system of a few megabytes in memory.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk(string parent, int megabytes)
    {
        Path = Directory.CreateDirectory(System.IO.Path.Combine(parent, "disk")).FullName;
        if (!Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Path))
        {
            throw new InvalidOperationException("cannot mount a tmpfs");
        }
    }

    public string Path { get; }

    public string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>Writes until nothing fits any more.</summary>
    public void Fill()
    {
        using var stream = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                stream.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }

    public void Dispose() => Run("umount", Path);

    /// <summary>Whether this process may mount one.</summary>
    public static bool Possible { get; } = Try();

    private static bool Try()
    {
        using var folder = new TemporaryFolder();
        try
        {
            using var disk = new SmallDisk(folder.Path, 1);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.Possible ? null : "needs the right to mount a tmpfs";
}
