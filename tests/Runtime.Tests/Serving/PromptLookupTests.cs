using LatentMoE.Runtime.Internals.Serving;

namespace LatentMoE.Runtime.Tests.Serving;

public class PromptLookupTests
{
    [Theory]
    [InlineData("1 2 3 4 5 9 1 2", 3, "3 4 5")]
    [InlineData("1 2 3 4 5 9 1 2", 9, "3 4 5 9 1 2")]
    [InlineData("1 2 7 1 2 8 1 2", 1, "8")]
    [InlineData("5 1 2 3 9 6 2 3 7 1 2 3", 1, "9")]
    [InlineData("4 4 4", 2, "4")]
    [InlineData("1 2 3 1", 4, "")]
    [InlineData("1 2", 4, "")]
    [InlineData("1", 4, "")]
    public void Guess_FollowsTheLastOccurrenceOfTheLongestEnd(string tokens, int count, string expected) =>
        Assert.Equal(expected, string.Join(' ', PromptLookup.Guess([.. tokens.Split(' ').Select(int.Parse)], count).ToArray()));
}
