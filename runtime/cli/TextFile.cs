using System.Text;
using System.Text.Unicode;
using LatentMoE.Checkpoints;

namespace LatentMoE.Cli;

/// <summary>Reads a UTF-8 file that an option names.</summary>
internal static class TextFile
{
    /// <param name="what">What was expected, with its article.</param>
    /// <exception cref="CheckpointException">The file is missing, too large for memory, or not UTF-8.</exception>
    public static string Read(string path, string what) => Encoding.UTF8.GetString(Bytes(path, what).Span);

    /// <summary>As <see cref="Read"/>, the parts between delimiters one by one.</summary>
    public static IEnumerable<string> Parts(string path, string delimiter, string what)
    {
        byte[] cut = Encoding.UTF8.GetBytes(delimiter);
        for (var rest = Bytes(path, what); ;)
        {
            int at = rest.Span.IndexOf(cut);
            yield return Encoding.UTF8.GetString((at < 0 ? rest : rest[..at]).Span);
            if (at < 0)
            {
                yield break;
            }
            rest = rest[(at + cut.Length)..];
        }
    }

    private static ReadOnlyMemory<byte> Bytes(string path, string what)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {e.Message} Expected {what}, in UTF-8.", e);
        }
        if (!Utf8.IsValid(bytes))
        {
            int at = 0;
            while (Rune.DecodeFromUtf8(bytes.AsSpan(at), out _, out int width) == System.Buffers.OperationStatus.Done)
            {
                at += width;
            }
            throw new CheckpointException(
                $"{path}: byte {at} (0x{bytes[at]:X2}) is not valid UTF-8; expected {what}, in UTF-8. Convert it, for example with iconv -t UTF-8.");
        }
        return bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsMemory(3) : bytes;
    }
}
