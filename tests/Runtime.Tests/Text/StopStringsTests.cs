using System.Buffers;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Tests.Text;

public class StopStringsTests
{
    [Theory]
    [InlineData("one two three", "two")]
    [InlineData("aaab", "aab")]
    [InlineData("ababac", "abac")]
    [InlineData("xabcd", "abcd", "bc")]
    [InlineData("xabc", "bc", "abc")]
    [InlineData("a\n\nUser: b", "\n\n", "User:")]
    [InlineData("no stop here", "never", "heron")]
    [InlineData("ends with a start of st", "stop")]
    [InlineData("stop", "stop")]
    [InlineData("smile 😀😁 on", "😁")]
    public void Append_AtEveryCut_EndsAtTheFirstCompleteStop(string text, params string[] stops)
    {
        var (expected, stopped) = Reference(text, stops);
        foreach (int[] cuts in Cuts.All(text.Length, atMost: 2))
        {
            var output = new ArrayBufferWriter<char>();
            var stream = new StopStrings(stops);
            foreach (var (start, end) in Cuts.Pieces(text.Length, cuts))
            {
                stream.Append(text.AsSpan(start..end), output);
            }
            if (!stream.Stopped)
            {
                stream.Flush(output);
            }
            string got = output.WrittenSpan.ToString();
            Assert.True(got == expected && stream.Stopped == stopped, $"cut at {string.Join(", ", cuts)}: \"{got}\", stopped {stream.Stopped}; expected \"{expected}\", {stopped}");
        }
    }

    [Fact]
    public void Append_HoldsBackNoMoreThanAStart()
    {
        var output = new ArrayBufferWriter<char>();
        var stream = new StopStrings(["\nUser:", "END"]);
        stream.Append("Hello\nUs", output);
        Assert.Equal("Hello", output.WrittenSpan.ToString());
        stream.Append("ually", output);
        Assert.Equal("Hello\nUsually", output.WrittenSpan.ToString());
        stream.Append(" EN", output);
        Assert.Equal("Hello\nUsually ", output.WrittenSpan.ToString());
        stream.Append("D and more", output);
        Assert.True(stream.Stopped);
        stream.Append("ignored", output);
        Assert.Equal("Hello\nUsually ", output.WrittenSpan.ToString());
    }

    [Fact]
    public void Append_WithoutStops_PassesEverything()
    {
        var output = new ArrayBufferWriter<char>();
        new StopStrings([]).Append("text", output);
        Assert.Equal("text", output.WrittenSpan.ToString());
    }

    // Character by character: the first end at which some stop string is complete, and the longest that ends there.
    private static (string Text, bool Stopped) Reference(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? longest = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (longest is not null)
            {
                return (text[..(end - longest.Length)], true);
            }
        }
        return (text, false);
    }
}
