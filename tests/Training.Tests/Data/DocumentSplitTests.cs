using LatentMoE.Training.Data.Internals;

namespace LatentMoE.Training.Tests.Data;

public class DocumentSplitTests
{
    private static DocumentSplit Split(IEnumerable<string> documents, double fraction = 0.05) => DocumentSplit.Of(CorpusSource.Of("test", [.. documents]), fraction, CancellationToken.None);

    private static readonly string[] Documents = [.. Enumerable.Range(0, 4_000).Select(i => $"document {i}")];

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.5)]
    public void Validation_HasAboutTheShareAskedFor(double fraction)
    {
        DocumentSplit split = Split(Documents, fraction);
        int held = split.Validation().Count();
        Assert.Equal(4_000, held + split.Train().Count());
        Assert.InRange(held, 4_000 * fraction * 0.7, 4_000 * fraction * 1.3);
    }

    [Fact]
    public void EqualDocuments_AreOnTheSameSide()
    {
        DocumentSplit split = Split([.. Documents, .. Documents]);
        Assert.Empty(split.Train().Intersect(split.Validation()));
        Assert.All(split.Validation().CountBy(text => text), entry => Assert.Equal(2, entry.Value));
    }

    [Fact]
    public void MoreDocuments_MoveNoneOfTheOthers()
    {
        Assert.Equal(Split(Documents[..2_000]).Validation(), Split(Documents).Validation().Where(Documents[..2_000].Contains));
        Assert.Equal(Split(Documents).Validation().Order(), Split(Documents.Reverse()).Validation().Order());
    }

    [Fact]
    public void ALargerShare_ContainsASmallerOne() => Assert.Subset(Split(Documents, 0.1).Validation().ToHashSet(), Split(Documents, 0.05).Validation().ToHashSet());

    [Theory]
    [InlineData(0.000001)]
    [InlineData(0.999999)]
    public void BothSides_HaveADocument(double fraction)
    {
        DocumentSplit split = Split(Documents[..5], fraction);
        Assert.NotEmpty(split.Train());
        Assert.NotEmpty(split.Validation());
    }

    [Fact]
    public void RepeatsOfOneDocument_AreCutAsOne()
    {
        DocumentSplit split = Split(Enumerable.Repeat("one two three four five six seven eight nine ten", 5), 0.2);
        Assert.Equal("one two three four five six seven", Assert.Single(split.Train()));
        Assert.Equal("eight nine ten", Assert.Single(split.Validation()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Of_RefusesAnImpossibleShare(double fraction) => Assert.Throws<ArgumentOutOfRangeException>(() => Split(Documents, fraction));
}
