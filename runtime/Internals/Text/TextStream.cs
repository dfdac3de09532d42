using System.Buffers;

namespace LatentMoE.Runtime.Internals.Text;

/// <summary>The bytes that a token stands for; none for special tokens and for ids that the tokenizer does not know.</summary>
internal delegate ReadOnlySpan<byte> TokenBytes(int id);

/// <summary>From generated token ids to the text of each piece: bytes of the token, whole characters, stop strings.</summary>
internal sealed class TextStream(TokenBytes bytes, IReadOnlyList<string> stopStrings)
{
    private readonly Utf8Stream _utf8 = new();
    private readonly StopStrings _stops = new(stopStrings);
    private readonly ArrayBufferWriter<char> _decoded = new(), _output = new();

    /// <summary>True once a stop string is complete.</summary>
    public bool Stopped => _stops.Stopped;

    /// <summary>The text that is certain after this token; empty where it completes nothing.</summary>
    public string Append(int token)
    {
        _utf8.Append(bytes(token), _decoded);
        return Take();
    }

    /// <summary>What was held back, at the end of the answer.</summary>
    public string Flush()
    {
        if (Stopped)
        {
            return "";
        }
        _utf8.Flush(_decoded);
        string text = Take();
        if (Stopped)
        {
            return text;
        }
        _stops.Flush(_output);
        return text + TakeOutput();
    }

    private string Take()
    {
        _stops.Append(_decoded.WrittenSpan, _output);
        _decoded.ResetWrittenCount();
        return TakeOutput();
    }

    private string TakeOutput()
    {
        string text = _output.WrittenCount == 0 ? "" : new string(_output.WrittenSpan);
        _output.ResetWrittenCount();
        return text;
    }
}
