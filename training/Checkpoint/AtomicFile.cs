using System.Diagnostics;
using System.Globalization;

namespace LatentMoE.Checkpoints;

/// <summary>Files that are either whole or absent: written and flushed under a temporary name in the same folder, then renamed.</summary>
public static class AtomicFile
{
    private const string Partial = ".partial";

    /// <exception cref="CheckpointException">The disk is full or the folder cannot be written; nothing is left under either name.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        // Two processes may write the same file: each has a name of its own, and removes what one that was killed left behind.
        string temporary = $"{path}.{Environment.ProcessId}{Partial}";
        try
        {
            DeleteLeftovers(path);
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            TryDelete(temporary);
            if (e is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException($"{path}: cannot be written: {e.Message} Free space or choose another folder; nothing was left half-written.", e);
            }
            throw;
        }
    }

    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        Write(path, stream => stream.Write(copy));
    }

    public static void WriteText(string path, string text) => Write(path, System.Text.Encoding.UTF8.GetBytes(text));

    private static void DeleteLeftovers(string path)
    {
        string name = Path.GetFileName(path), folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (string file in Directory.EnumerateFiles(folder, $"{name}.*{Partial}"))
        {
            string writer = Path.GetFileName(file)[(name.Length + 1)..^Partial.Length];
            if (int.TryParse(writer, NumberStyles.None, CultureInfo.InvariantCulture, out int process) && process != Environment.ProcessId && !Runs(process))
            {
                TryDelete(file);
            }
        }
    }

    private static bool Runs(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to report.
        }
    }
}
