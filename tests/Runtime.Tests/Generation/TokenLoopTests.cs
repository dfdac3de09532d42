using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Generation;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Runtime.Tests.Sampling;

namespace LatentMoE.Runtime.Tests.Generation;

[Collection(nameof(TestPackages))]
public class TokenLoopTests
{
    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Next_Constraint_ChoosesItsTokensUntilItIsComplete(float temperature)
    {
        using var pool = Open();
        var constraint = new BitConstraint(pool.Graph.Vocabulary, id => id % 10 == 3, length: 6);
        int[] tokens = Run(pool, new() { Temperature = temperature, Seed = 3, MaxNewTokens = 20 }, constraint, out var finish);
        Assert.Equal(6, tokens.Length);
        Assert.All(tokens, id => Assert.Equal(3, id % 10));
        Assert.Equal(tokens, constraint.Accepted);
        Assert.Equal(FinishReason.GrammarComplete, finish);
    }

    [Fact]
    public void Next_ConstraintOnTheEndToken_EndsWithIt()
    {
        using var pool = Open();
        int end = pool.Graph.Package.Config.EndTokens.First();
        int[] tokens = Run(pool, GenerationOptions.Greedy, new BitConstraint(pool.Graph.Vocabulary, id => id == end), out var finish);
        Assert.Equal([end], tokens);
        Assert.Equal(FinishReason.EndOfSequence, finish);
    }

    private static SessionPool Open() =>
        new SessionFactory(ModelPackage.Open(TestPackages.Package("LatentMoE")), new() { Device = Device.Cpu, Threads = 1 }).Create();

    private static int[] Run(SessionPool pool, GenerationOptions options, ITokenConstraint constraint, out FinishReason? finish)
    {
        using var session = new DecoderSession(pool.Graph);
        using var loop = new TokenLoop(session, [5, 6, 7], options, pool.Graph.Package.Config.EndTokens, constraint, CancellationToken.None);
        var tokens = new List<int>();
        while (loop.Finish is null)
        {
            tokens.Add(loop.Next());
        }
        finish = loop.Finish;
        return [.. tokens];
    }
}
