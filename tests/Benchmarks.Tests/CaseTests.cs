namespace LatentMoE.Benchmarks.Tests;

public class CaseTests
{
    [Fact]
    public void Expand_GivesPrefillsThenEveryContextWithEveryBatch()
    {
        var options = new BenchOptions { Prefill = [512], Contexts = [0, 1024], Batches = [1, 16], Steps = 128 };
        string[] cases = [.. Case.Expand(options).Select(point => point.ToString())];
        Assert.Equal(
            ["prefill 512", "decode at 0, batch 1", "decode at 0, batch 16", "decode at 1024, batch 1", "decode at 1024, batch 16"], cases);
    }

    [Fact]
    public void Tokens_CountRowsStepsAndSequence()
    {
        Assert.Equal(512, new Case(Case.Prefill, 512, 1, 1).Tokens);
        Assert.Equal(4 * 128, new Case(Case.Decode, 1024, 4, 128).Tokens);
    }

    [Fact]
    public void MeanColumns_IsTheMeanOverTheTokens()
    {
        Assert.Equal(Enumerable.Range(1, 512).Average(), new Case(Case.Prefill, 512, 1, 1).MeanColumns);
        Assert.Equal(Enumerable.Range(1025, 128).Average(), new Case(Case.Decode, 1024, 4, 128).MeanColumns);
    }
}
