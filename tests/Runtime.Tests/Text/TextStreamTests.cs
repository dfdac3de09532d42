using System.Text;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Tests.Text;

public class TextStreamTests
{
    // One token a byte; 256 stands for a special token.
    private static ReadOnlySpan<byte> Bytes(int id) => id < 256 ? new[] { (byte)id } : [];

    [Fact]
    public void Append_ByteTokens_GivesWholeCharacters()
    {
        var stream = new TextStream(Bytes, []);
        var pieces = Encoding.UTF8.GetBytes("aé😀").Select(b => stream.Append(b)).ToArray();
        Assert.Equal(["a", "", "é", "", "", "", "😀"], pieces);
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Append_SpecialToken_IsNotText()
    {
        var stream = new TextStream(Bytes, []);
        Assert.Equal("a", stream.Append('a'));
        Assert.Equal("", stream.Append(256));
        Assert.Equal("b", stream.Append('b'));
    }

    [Fact]
    public void Flush_ReplacesAnUnfinishedCharacter()
    {
        var stream = new TextStream(Bytes, []);
        stream.Append(0xF0);
        stream.Append(0x9F);
        Assert.Equal("\uFFFD", stream.Flush());
    }

    [Fact]
    public void Flush_ReturnsWhatAStopStringHeldBack()
    {
        var stream = new TextStream(Bytes, ["abcd"]);
        Assert.Equal(["", "", ""], "abc".Select(c => stream.Append(c)));
        Assert.Equal("abc", stream.Flush());
        Assert.False(stream.Stopped);
    }

    [Fact]
    public void Append_StopStringOfSplitCharacters_Stops()
    {
        var stream = new TextStream(Bytes, ["€€"]);
        string text = string.Concat(Encoding.UTF8.GetBytes("x€€y").Select(b => stream.Append(b)));
        Assert.True(stream.Stopped);
        Assert.Equal("x", text + stream.Flush());
    }
}
