using System.Buffers;

namespace LatentMoE.Runtime.Internals.Text;

/// <summary>
/// Passes text on except what may be the start of a stop string. However the text is cut, the stop string that is
/// complete first ends it (the longest of those that end together), and the text before it is what comes out.
/// </summary>
internal sealed class StopStrings(IReadOnlyList<string> stops)
{
    private readonly ArrayBufferWriter<char> _waiting = new();

    /// <summary>True once a stop string has been found; nothing comes out any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Adds text and moves to <paramref name="output"/> what can no longer belong to a stop string.</summary>
    public void Append(ReadOnlySpan<char> text, IBufferWriter<char> output)
    {
        if (Stopped || text.IsEmpty)
        {
            return;
        }
        if (stops.Count == 0)
        {
            output.Write(text);
            return;
        }
        _waiting.Write(text);
        var all = _waiting.WrittenSpan;
        int cut = FindFirstStop(all);
        Stopped = cut >= 0;
        cut = Stopped ? cut : all.Length - LongestStart(all);
        output.Write(all[..cut]);
        Keep(Stopped ? [] : all[cut..]);
    }

    /// <summary>Moves the rest to <paramref name="output"/>: no more text will come.</summary>
    public void Flush(IBufferWriter<char> output)
    {
        output.Write(_waiting.WrittenSpan);
        _waiting.ResetWrittenCount();
    }

    private int FindFirstStop(ReadOnlySpan<char> text)
    {
        int start = -1, end = int.MaxValue;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (at + stop.Length < end || (at + stop.Length == end && at < start)))
            {
                (start, end) = (at, at + stop.Length);
            }
        }
        return start;
    }

    // Length of the longest end of the text that begins a stop string.
    private int LongestStart(ReadOnlySpan<char> text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private void Keep(ReadOnlySpan<char> rest)
    {
        Span<char> copy = rest.Length <= 256 ? stackalloc char[rest.Length] : new char[rest.Length];
        rest.CopyTo(copy);
        _waiting.ResetWrittenCount();
        _waiting.Write(copy);
    }
}
