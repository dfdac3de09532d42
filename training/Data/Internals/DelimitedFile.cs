using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Data.Internals;

/// <summary>Reads a UTF-8 file part by part between delimiters, in bounded memory as long as no part is huge.</summary>
internal static class DelimitedFile
{
    private const int LargestPart = 1 << 30;

    /// <summary>The parts and their byte offsets. A part's memory is valid until the next is asked for; a byte order mark is left out.</summary>
    /// <exception cref="CheckpointException">The file cannot be read, or a part is not UTF-8.</exception>
    public static IEnumerable<(ReadOnlyMemory<byte> Part, long Offset)> Parts(string file, byte[] delimiter)
    {
        using FileStream stream = Open(file);
        byte[] buffer = new byte[1 << 20];
        int start = 0, end = 0, searched = 0;
        long offset = 0;
        for (bool more = true; more || start < end;)
        {
            int found = buffer.AsSpan(searched, end - searched).IndexOf(delimiter);
            if (found < 0 && more)
            {
                searched = Math.Max(start, end - delimiter.Length + 1);
                MakeRoom(file, ref buffer, ref start, ref searched, ref end, offset);
                int read = stream.Read(buffer, end, buffer.Length - end);
                more = read > 0;
                if (end == 0 && offset == 0 && buffer.AsSpan(0, read).StartsWith(Encoding.UTF8.Preamble))
                {
                    (start, searched, offset) = (3, 3, 3);
                }
                end += read;
                continue;
            }
            int stop = found < 0 ? end : searched + found;
            ReadOnlyMemory<byte> part = buffer.AsMemory(start, stop - start);
            Validate(file, part.Span, offset);
            yield return (part, offset);
            int next = found < 0 ? end : stop + delimiter.Length;
            offset += next - start;
            start = searched = next;
        }
    }

    private static FileStream Open(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{file}: cannot be read: {e.Message} Expected a UTF-8 text file.", e);
        }
    }

    // Moves the unread bytes to the front, and doubles the buffer when they fill it.
    private static void MakeRoom(string file, ref byte[] buffer, ref int start, ref int searched, ref int end, long offset)
    {
        int kept = end - start;
        if (kept == LargestPart)
        {
            throw new CheckpointException($"{file}: the document at byte {offset} is over 1 GiB; expected {CorpusOptions.Separator} between documents.");
        }
        byte[] target = kept < buffer.Length ? buffer : new byte[Math.Min(LargestPart, 2 * buffer.Length)];
        Buffer.BlockCopy(buffer, start, target, 0, kept);
        (buffer, searched, end, start) = (target, searched - start, kept, 0);
    }

    private static void Validate(string file, ReadOnlySpan<byte> part, long offset)
    {
        if (Utf8.IsValid(part))
        {
            return;
        }
        int at = 0;
        while (Rune.DecodeFromUtf8(part[at..], out _, out int width) == OperationStatus.Done)
        {
            at += width;
        }
        throw new CheckpointException($"{file}: byte {offset + at} (0x{part[at]:X2}) is not valid UTF-8; expected UTF-8 text. "
            + "Convert the file, for example with iconv -t UTF-8.");
    }
}
