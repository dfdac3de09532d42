using System.Text.RegularExpressions;
using LatentMoE.Training.Data;
using LatentMoE.Training.Data.Stories;

namespace LatentMoE.Training.Tests.Data.Stories;

public partial class StoryGeneratorTests
{
    private static readonly Lazy<IReadOnlyList<string>> Stories = new(() => StoryGenerator.Generate(1, 3_000_000));

    private static readonly Lazy<IReadOnlyList<string>> DefaultStories = new(() => StoryGenerator.Generate(new CorpusOptions().StorySeed, new CorpusOptions().StoryBytes));

    [Fact]
    public void Generate_OfASeed_IsAlwaysTheSame()
    {
        Assert.Equal(StoryGenerator.Generate(3, 200_000), StoryGenerator.Generate(3, 200_000));
        Assert.Equal(StoryGenerator.Generate(3, 100_000), StoryGenerator.Generate(3, 200_000).Take(StoryGenerator.Generate(3, 100_000).Count));
        Assert.Equal(StoryGenerator.Write(3, 0), StoryGenerator.Generate(3, 1)[0]);
    }

    [Fact]
    public void Generate_OfAnotherSeed_IsAnother() => Assert.Empty(StoryGenerator.Generate(1, 300_000).Intersect(StoryGenerator.Generate(2, 300_000)));

    [Fact]
    public void Generate_HasTheSizeAskedFor() => Assert.InRange(Stories.Value.Sum(story => story.Length), 3_000_000, 3_003_000);

    [Fact]
    public void Generate_NeverRepeatsAStory() => Assert.Equal(Stories.Value.Count, Stories.Value.Distinct().Count());

    [Fact]
    public void Stories_AreCleanText() => Assert.All(Stories.Value, story =>
    {
        Assert.DoesNotMatch(Debris(), story);
        Assert.Matches("^[A-Z\"][^\n]+(\n[A-Z\"][^\n]+)*[.!?\"]$", story);
        Assert.True(story.Count(c => c == '"') % 2 == 0, $"unbalanced quotes: {story}");
    });

    [Fact]
    public void Stories_UseArticlesRightly() => Assert.All(Stories.Value, story => Assert.DoesNotMatch(@"\b([Aa] [aeiou]|[Aa]n [b-df-hj-np-tv-z])", story.Replace("an hour", "")));

    [Fact]
    public void Stories_BeginSentencesWithCapitals() => Assert.All(Stories.Value, story => Assert.DoesNotMatch(@"[a-z]\. [a-z]", story));

    [Theory]
    [InlineData(@"\b[Tt]here was (only )?(?!an? |his |this )(\w+ )?\w+s[.!]")]
    [InlineData(@"\b[Tt]here was (yellow|white|brown|fluffy|sea|tall|little silver|rows|piles|swans|bees|hens|daisies|ducks|children|two)\b")]
    [InlineData(@"\bcan not\b|\bhalf way\b")]
    [InlineData(@"\b(\w+) \1\b(?<!had had|boom boom)")]
    [InlineData(@"bit of (blocks|clothes|books|feathers)")]
    [InlineData(@"all the [\w ]+ were gone")]
    [InlineData(@"""(His|Her) \w+ had a good reason|told (his|her) (\w+) that (his|her) \2 ")]
    [InlineData(@"never (tie|write) (his|her) |could (tie|write) (his|her) ")]
    [InlineData(@"wanted to [\w ]*\bit\b[\w ]* in the (bedroom|kitchen|living room|attic|hallway|playroom)\.")]
    [InlineData(@" that (he|she) had since ")]
    [InlineData(@"window\. It belonged")]
    [InlineData(@"not nothing|was the best \w+ \w+ pancakes|\bate some milk")]
    [InlineData(@"went out to (play outside|help in the kitchen)|went outside to play outside")]
    [InlineData(@"in time for \w+'s|friend (\w+)\. .*""Let us go to \1's")]
    [InlineData(@"saw (an?) (\w+ \w+) [^.]*\. (He|She) could see that \1 \2")]
    [InlineData(@"met at the (park|forest|garden|meadow|farm|hill)|lay very still and drank|friends wore it")]
    [InlineData(@"from the hill to the top of the hill")]
    [InlineData(@"^(?=[\s\S]*(rain (stopped|was over)|glued the)).*[\s\S]*(They|Everyone) went home")]
    public void Stories_AreGoodEnglish(string mistake)
    {
        var regex = new Regex(mistake);
        Assert.Empty(DefaultStories.Value.Select(story => regex.Match(story)).Where(match => match.Success).Select(match => match.Value).Distinct().Take(5));
    }

    [Fact]
    public void Stories_HaveManyWordsAndLengths()
    {
        Assert.True(Stories.Value.SelectMany(story => Word().Matches(story).Select(match => match.Value.ToLowerInvariant())).Distinct().Count() > 1_200);
        Assert.True(Stories.Value.Average(story => story.Length) is > 600 and < 1_100);
        Assert.True(Stories.Value.Min(story => story.Length) > 200);
        Assert.True(Stories.Value.Max(story => story.Length) < 2_500);
    }

    [Fact]
    public void Stories_RarelyShareTheirFirstHundredCharacters() =>
        Assert.True(Stories.Value.CountBy(story => story[..100]).Max(entry => entry.Value) < Stories.Value.Count / 100);

    [Fact]
    public void Stories_KeepTheirHero()
    {
        foreach (string story in Stories.Value)
        {
            // Whoever is named first in the story is named again and again, to its last paragraph.
            string hero = Name().Match(story).Value;
            Assert.True(Regex.Count(story, $@"\b{hero}\b") >= 3, $"{hero} is lost: {story}");
        }
    }

    [Theory]
    [InlineData("stuck on a high branch|flew up into an? ")]
    [InlineData("birthday")]
    [InlineData("could not sleep|Good night")]
    [InlineData("race")]
    [InlineData("seed|brown bean|old potato|cherry stone")]
    [InlineData("bandage|piece of cloth")]
    [InlineData("Crash!|loud crash")]
    [InlineData("was raining|began to rain")]
    [InlineData("lost")]
    [InlineData("afraid of|scared of")]
    public void Stories_TellEveryKindOfPlot(string words) => Assert.True(Stories.Value.Count(story => Regex.IsMatch(story, words)) > Stories.Value.Count / 60);

    [GeneratedRegex(@"[\[\]{}|^_]|  | \n|\n\n|[^\x0A\x20-\x7E]| [.,!?]|\.\.|,,")]
    private static partial Regex Debris();

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<=named |called |name was |^)(?!Once|There|In|Long|A|An)[A-Z][a-z]+")]
    private static partial Regex Name();
}
