using LatentMoE.Runtime.Internals.Generation;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Tests.Generation;

public class PieceWriterTests
{
    // One token a byte.
    private static PieceWriter Writer(params string[] stops) => new(new TextStream(id => new[] { (byte)id }, stops));

    [Fact]
    public void Next_NumbersItsPiecesAndCarriesLogprobs()
    {
        var writer = Writer();
        var logprobs = new TokenLogprobs(-1, []);
        Assert.Equal(new GeneratedPiece(0, 'a', "a"), writer.Next('a', null, null));
        Assert.Equal(new GeneratedPiece(1, 'b', "b", FinishReason.MaxNewTokens, Logprobs: logprobs), writer.Next('b', FinishReason.MaxNewTokens, logprobs));
    }

    [Fact]
    public void Next_StopToken_HasNoText_AndBringsWhatWasHeldBack()
    {
        var writer = Writer("bcd");
        Assert.Equal("a", writer.Next('a', null, null).Text);
        Assert.Equal("", writer.Next('b', null, null).Text);
        Assert.Equal(new GeneratedPiece(2, 'c', "b", FinishReason.StopToken), writer.Next('c', FinishReason.StopToken, null));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(FinishReason.MaxNewTokens)]
    [InlineData(FinishReason.EndOfSequence)]
    public void Next_StopString_IsTheReason(FinishReason? finish)
    {
        var writer = Writer("bc");
        writer.Next('a', null, null);
        writer.Next('b', null, null);
        Assert.Equal(new GeneratedPiece(2, 'c', "", FinishReason.StopString), writer.Next('c', finish, null));
    }

    [Fact]
    public void Next_StopStringInTheFlushedText_IsTheReason()
    {
        var writer = Writer("\uFFFD");
        Assert.Equal("", writer.Next(0xF0, null, null).Text);
        Assert.Equal(new GeneratedPiece(1, 0x9F, "", FinishReason.StopString), writer.Next(0x9F, FinishReason.MaxNewTokens, null));
    }
}
