using System.Buffers;
using System.Text;

namespace LatentMoE.Runtime.Internals.Text;

/// <summary>
/// Turns bytes that arrive in arbitrary cuts into text. Whatever the cuts, the pieces joined equal the decoding of all
/// bytes at once: an unfinished character waits for its rest, invalid bytes become U+FFFD.
/// </summary>
internal sealed class Utf8Stream
{
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();

    /// <summary>Appends to <paramref name="text"/> the characters that became complete.</summary>
    public void Append(ReadOnlySpan<byte> bytes, IBufferWriter<char> text) => Convert(bytes, text, flush: false);

    /// <summary>Appends U+FFFD for a character that will not be completed.</summary>
    public void Flush(IBufferWriter<char> text) => Convert([], text, flush: true);

    private void Convert(ReadOnlySpan<byte> bytes, IBufferWriter<char> text, bool flush)
    {
        var room = text.GetSpan(bytes.Length + 4); // a byte makes at most one character, waiting ones at most three
        text.Advance(_decoder.GetChars(bytes, room, flush));
    }
}
