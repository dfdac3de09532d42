using LatentMoE.Benchmarks.Engines;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Tests.Engines;

public class EngineTests
{
    [Fact]
    public void Of_GivesTheLibraryWhereTheEngineNeedsIt()
    {
        Assert.Null(Engine.Of(Engine.Bodies, null).Library);
        Assert.True(Engine.Of(Engine.Contrib, null).MayGrow);
        string library = typeof(Engine).Assembly.Location;
        Assert.Equal(library, Engine.Of("latentmoe-avx2", library).Library);
        Assert.Equal(library, Engine.Of($"latentmoe@{library}", null).Library);
        Assert.False(Engine.Of(Engine.LatentMoE, library).MayGrow);
    }

    [Fact]
    public void Of_RefusesUnknownNamesAndMissingLibraries()
    {
        var unknown = Assert.Throws<ArgumentException>(() => Engine.Of("fast", null));
        Assert.StartsWith("--engine is fast; expected one of latentmoe,", unknown.Message, StringComparison.Ordinal);
        var missing = Assert.Throws<CheckpointException>(() => Engine.Of("latentmoe@none.so", null));
        Assert.Contains("no such operator library", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Graph_IsForSingleStepsOnCuda()
    {
        string library = typeof(Engine).Assembly.Location;
        Assert.Contains("needs --device=cuda", Assert.Throws<ArgumentException>(() => Engine.Of(Engine.Graph, library)).Message, StringComparison.Ordinal);
        var graph = Engine.Of(Engine.Graph, library, Engine.Cuda);
        Assert.True(graph.Captures && graph.Runs(new Case(Case.Decode, 8, 4, 2)) && !graph.Runs(new Case(Case.Prefill, 8, 1, 1)));
        Assert.Equal(Engine.Of(Engine.LatentMoE, library, Engine.Cuda), graph.Uncaptured);
        Assert.False(Engine.Of(Engine.Bodies, null, Engine.Cuda).MayGrow);
    }

    [Theory]
    [InlineData("latentmoe-noamx", true)]
    [InlineData("latentmoe@other.so", true)]
    [InlineData("llama.cpp", false)]
    public void IsKnown_TellsOursFromPeers(string name, bool known) => Assert.Equal(known, Engine.IsKnown(name));
}
