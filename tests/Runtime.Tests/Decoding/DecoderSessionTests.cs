using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Tests.Support.Reference;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime.Tests.Decoding;

[Collection(nameof(TestPackages))]
public class DecoderSessionTests
{
    [Theory]
    [MemberData(nameof(TestPackages.Families), MemberType = typeof(TestPackages))]
    public void Step_SharedBuffer_EqualsAGrowingCacheAndFullRecomputation(string family)
    {
        using var pool = Open(family);
        using var session = new DecoderSession(pool.Graph);
        using var growing = new GrowingDecoder(pool.Graph);
        int[] prompt = Tokens(9, seed: 1);
        session.Prefill(prompt);
        float[] expected = growing.Append(prompt);
        var all = prompt.ToList();
        // Past two borders of the cache's view.
        while (all.Count < 280)
        {
            Logits.Match(expected, session.Logits, $"{family}, {all.Count} tokens, against the growing cache");
            if (all.Count % 90 == 0)
            {
                using var whole = new GrowingDecoder(pool.Graph);
                Logits.Match(whole.Append([.. all]), session.Logits, $"{family}, {all.Count} tokens, against recomputation");
            }
            int next = Array.IndexOf(expected, expected.Max());
            next = all.Count % 3 == 0 ? next : 2 + (all.Count * 37 + next) % 260; // greedy alone soon repeats itself
            all.Add(next);
            session.Step(next);
            expected = growing.Append(next);
        }
        Assert.Equal(all.Count, session.Position);
    }

    [Theory]
    [MemberData(nameof(TestPackages.Families), MemberType = typeof(TestPackages))]
    public void Prefill_MatchesTheFloat64Reference(string family)
    {
        using var pool = Open(family);
        using var session = new DecoderSession(pool.Graph);
        int[] prompt = Tokens(40, seed: 2);
        session.Prefill(prompt);
        double[] reference = ReferenceDecoder.Open(TestPackages.Checkpoint(family)).Logits([.. prompt.Select(t => (long)t)]);
        Logits.Match([.. reference[^pool.Graph.Vocabulary..].Select(x => (float)x)], session.Logits, family);
    }

    [Theory]
    [InlineData("LatentMoE", 1)]
    [InlineData("LatentMoE", 7)]
    [InlineData("LatentMoE", 64)]
    [InlineData("Llama", 1)]
    [InlineData("Llama", 7)]
    [InlineData("Llama", 64)]
    public void Prefill_InChunks_EqualsOneRun(string family, int chunk)
    {
        int[] prompt = Tokens(200, seed: 3);
        using var whole = Open(family);
        using var expected = new DecoderSession(whole.Graph);
        expected.Prefill(prompt);
        using var pool = Open(family, new() { Device = Device.Cpu, PrefillChunk = chunk });
        using var session = new DecoderSession(pool.Graph);
        session.Prefill(prompt);
        Logits.Match(expected.Logits, session.Logits, $"{family}, chunks of {chunk}");
        expected.Step(5);
        session.Step(5);
        Logits.Match(expected.Logits, session.Logits, $"{family}, a step after chunks of {chunk}");
    }

    [Theory]
    [InlineData("LatentMoE")]
    [InlineData("Llama")]
    public void Rewind_ForgetsWhatCameAfter(string family)
    {
        using var pool = Open(family);
        using var session = new DecoderSession(pool.Graph);
        int[] kept = Tokens(20, seed: 4), dropped = Tokens(150, seed: 5), next = Tokens(6, seed: 6);
        session.Prefill(kept);
        session.Prefill(dropped);
        session.Rewind(20);
        Assert.Equal(20, session.Position);
        session.Prefill(next);
        using var fresh = new DecoderSession(pool.Graph);
        fresh.Prefill([.. kept, .. next]);
        Logits.Match(fresh.Logits, session.Logits, "after rewinding");
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Rewind(27));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Rewind(-1));
    }

    [Theory]
    [InlineData("LatentMoE")]
    [InlineData("Llama")]
    public void Rewind_ToTheStart_RunsBitForBitAsANewSession(string family)
    {
        using var pool = Open(family);
        using var used = new DecoderSession(pool.Graph);
        used.Prefill(Tokens(300, seed: 12));
        used.Rewind(0);
        using var fresh = new DecoderSession(pool.Graph);
        foreach (int token in Tokens(30, seed: 13))
        {
            used.Step(token);
            fresh.Step(token);
            Assert.Equal(fresh.Logits, used.Logits);
        }
    }

    [Fact]
    public void Step_BeyondTheContext_Throws()
    {
        using var pool = Open("LatentMoE", new() { Device = Device.Cpu, ContextLength = 10 });
        using var session = new DecoderSession(pool.Graph);
        session.Prefill(Tokens(10, seed: 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Step(3));
        session.Rewind(9);
        session.Step(3);
    }

    [Theory]
    [InlineData("LatentMoE")]
    [InlineData("Llama")]
    public void ClearByRun_LeavesACacheThatDecodesAsAFreshOne(string family)
    {
        using var pool = Open(family);
        using var session = new DecoderSession(pool.Graph);
        session.Prefill(Tokens(200, seed: 8));
        session.Rewind(0);
        session.ClearByRun();
        session.Prefill(Tokens(12, seed: 9));
        session.Step(4);
        using var fresh = new DecoderSession(pool.Graph);
        fresh.Prefill(Tokens(12, seed: 9));
        fresh.Step(4);
        Logits.Match(fresh.Logits, session.Logits, family);
    }

    [Fact]
    public void Interrupt_FailsRunsUntilResume()
    {
        using var pool = Open("LatentMoE");
        using var session = new DecoderSession(pool.Graph);
        session.Interrupt();
        Assert.Throws<OnnxRuntimeException>(() => session.Step(3));
        Assert.Equal(0, session.Position);
        session.Resume();
        session.Step(3);
        Assert.Equal(1, session.Position);
    }

    [Fact]
    public void Step_AllocatesNothing()
    {
        using var pool = Open("LatentMoE");
        using var session = new DecoderSession(pool.Graph);
        session.Prefill(Tokens(130, seed: 10));
        session.Step(3);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            session.Step(3);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Step_HalfPrecisionCacheAndLogits_FollowTheFullOnes()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        HalfPackage.Convert(folder);
        using var full = Open("LatentMoE");
        using var half = new SessionFactory(ModelPackage.Open(folder.Path), new() { Device = Device.Cpu }).Create();
        using var expected = new DecoderSession(full.Graph);
        using var session = new DecoderSession(half.Graph);
        Assert.Equal(expected.CacheBytes / 2, session.CacheBytes);
        int[] tokens = Tokens(140, seed: 11);
        foreach (var decoder in new[] { expected, session })
        {
            decoder.Prefill(tokens.AsSpan(0, 100));
            Array.ForEach(tokens[100..], decoder.Step);
        }
        Logits.Match(expected.Logits, session.Logits, "float16 cache", tolerance: 5e-3f);
    }

    [Fact]
    public void CacheBytes_AreTheWholeContextOnce()
    {
        using var pool = Open("LatentMoE");
        using var session = new DecoderSession(pool.Graph);
        var config = TestPackages.Config("LatentMoE");
        Assert.Equal(4L * (config.KvLoraRank + config.QkRopeHeadDim) * config.NumHiddenLayers * TestPackages.Context, session.CacheBytes);
    }

    private static SessionPool Open(string family, LanguageModelOptions? options = null) =>
        new SessionFactory(ModelPackage.Open(TestPackages.Package(family)), (options ?? new() { Device = Device.Cpu }) with { Threads = 1 }).Create();

    private static int[] Tokens(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(2, 268))];
    }
}
