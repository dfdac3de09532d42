using LatentMoE.Runtime.Internals.Generation;

namespace LatentMoE.Runtime.Tests.Generation;

public class FinishRuleTests
{
    private static readonly GenerationOptions Options = new() { MaxNewTokens = 5, StopTokens = [7, 9] };

    [Theory]
    [InlineData(4, 1, false, null)]
    [InlineData(0, 1, false, FinishReason.EndOfSequence)]
    [InlineData(7, 1, false, FinishReason.StopToken)]
    [InlineData(9, 1, false, FinishReason.StopToken)]
    [InlineData(4, 1, true, FinishReason.GrammarComplete)]
    [InlineData(4, 5, false, FinishReason.MaxNewTokens)]
    // Of several reasons, the one that makes the answer a whole one.
    [InlineData(0, 5, true, FinishReason.EndOfSequence)]
    [InlineData(7, 5, true, FinishReason.StopToken)]
    [InlineData(4, 5, true, FinishReason.GrammarComplete)]
    public void After_NamesTheReason(int token, int count, bool complete, FinishReason? expected)
    {
        Assert.Equal(expected, new FinishRule(Options, new HashSet<int> { 0 }, promptTokens: 10, contextLength: 100).After(token, count, complete));
    }

    [Fact]
    public void After_FullContext_Ends()
    {
        var rule = new FinishRule(Options, new HashSet<int>(), promptTokens: 10, contextLength: 13);
        Assert.Null(rule.After(4, 2, complete: false));
        Assert.Equal(FinishReason.ContextLength, rule.After(4, 3, complete: false));
    }

    [Fact]
    public void After_EndOfSequenceIgnored_GoesOn_ButForAStopTokenAndAGrammar()
    {
        FinishReason? After(GenerationOptions options) => new FinishRule(options, new HashSet<int> { 0 }, 10, 100).After(0, 1, complete: false);
        var ignoring = Options with { IgnoreEndOfSequence = true };
        Assert.Null(After(ignoring));
        Assert.Equal(FinishReason.StopToken, After(ignoring with { StopTokens = [0] }));
        Assert.Equal(FinishReason.EndOfSequence, After(ignoring with { Grammar = Grammar.JsonObject }));
    }
}
