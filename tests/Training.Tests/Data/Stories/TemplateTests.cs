using LatentMoE.Training.Data.Internals;
using LatentMoE.Training.Data.Stories.Internals;

namespace LatentMoE.Training.Tests.Data.Stories;

public class TemplateTests
{
    private static Story NewStory()
    {
        var story = new Story(new Random64(1, 1));
        story.Set("thing", "old hat");
        story.Set("other", "red hat");
        story.Cast("hero", new Character("Mia", "girl", Female: true));
        return story;
    }

    private static HashSet<string> Expansions(string template)
    {
        Story story = NewStory();
        return [.. Enumerable.Range(0, 300).Select(_ => Template.Expand(template, story))];
    }

    [Fact]
    public void Expand_TakesOneOfTheParts() => Assert.Equal(["ax", "bx"], Expansions("[a|b]x").Order());

    [Fact]
    public void Expand_NestsAndTakesEmptyParts() => Assert.Equal(["", "a", "b", "bc"], Expansions("[a|b[c|]|]").Order(StringComparer.Ordinal));

    [Fact]
    public void Expand_PutsFactsIn() => Assert.Equal(["Mia and her old hat"], Expansions("{hero} and {his} {thing}"));

    [Fact]
    public void Expand_ChoosesTheArticle() => Assert.Equal(["an old hat, a red hat"], Expansions("{a thing}, {a other}"));

    [Theory]
    [InlineData("{he} sat. {he} ran! {he} saw? yes", "She sat. She ran! She saw? Yes")]
    [InlineData("{he} said, \"{thing}.\" {he} left.", "She said, \"Old hat.\" She left.")]
    [InlineData("\"go!\" {he} said.", "\"Go!\" she said.")]
    [InlineData("\"go!\" ^{he} left.", "\"Go!\" She left.")]
    [InlineData("\"no,\" {he} said, \"but yes.\" {he} left.", "\"No,\" she said, \"but yes.\" She left.")]
    [InlineData("\"no,\" {he} said. \"but yes.\"", "\"No,\" she said. \"But yes.\"")]
    public void Sentence_PutsCapitals(string template, string expected) => Assert.Equal(expected, Template.Sentence(template, NewStory()));

    [Fact]
    public void Expand_OfAnUnknownFact_NamesIt() => Assert.Contains("nobody", Assert.Throws<KeyNotFoundException>(() => Template.Expand("{nobody}", NewStory())).Message);
}
