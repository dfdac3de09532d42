using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class LatentAttentionTests
{
    // The body takes its full form from six new tokens on.
    private static readonly AttentionShape Small = new(Heads: 3, Rank: 16, Nope: 4, Rope: 6, Value: 4);

    // It never pays here, so the body is the absorbed form alone.
    private static readonly AttentionShape WideHeads = new(Heads: 2, Rank: 8, Nope: 10, Rope: 2, Value: 7);

    private static readonly AttentionShape Model = new(Heads: 4, Rank: 64, Nope: 32, Rope: 16, Value: 32);

    public static TheoryData<string, bool> Types { get; } = new()
    {
        { "f32", false }, { "f16", false }, { "bf16", false }, { "f32", true }, { "f16", true }, { "bf16", true },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void LatentAttention_GrowAndShare_EqualTheBody(string expansion, bool half)
    {
        AttentionShape[] shapes = expansion == "f32"
            ? [Small, Small with { Interleave = false }, WideHeads, Model, new(1, 24, 5, 8, 3), new(5, 72, 12, 64, 20)] : [Small, Model];
        foreach (var shape in shapes)
        {
            foreach (var (batch, tokens, past) in ((int, int, int)[])[(1, 1, 0), (2, 1, 37), (1, 5, 0), (2, 6, 0), (3, 20, 9), (1, 50, 70)])
            {
                new AttentionCase(shape, batch, tokens, past, past + tokens, (_, s) => past + s, (_, _) => 1).Check(expansion, half);
                new AttentionCase(shape, batch, tokens, past + tokens + 4, past + tokens, (_, s) => past + s, (_, _) => 1).Check(expansion, half);
            }
        }
    }

    [Theory]
    [InlineData("f32", false)]
    [InlineData("bf16", true)]
    public void LatentAttention_RaggedBatches_EqualTheBody(string expansion, bool half)
    {
        for (int batch = 1; batch <= 17; batch += 4)
        {
            // An engine's rows of any length over one shared buffer, some of them idle.
            long At(int b) => b % 5 == 4 ? -1 : b * 53 % 90;
            new AttentionCase(Model, batch, 1, 90, 1, (b, _) => At(b), (_, _) => 1).Check(expansion, half);
            new AttentionCase(Model, batch, 3, 93, 3, (b, s) => At(b) < 0 ? -1 : At(b) + s, (_, _) => 1).Check(expansion, half);
        }
    }

    [Theory]
    [InlineData(1, 1, 4095, "f32", false)]
    [InlineData(1, 1, 4095, "f16", true)]
    [InlineData(2, 1, 1024, "bf16", true)]
    [InlineData(1, 9, 2000, "f32", false)]
    [InlineData(1, 300, 700, "f32", false)]
    [InlineData(2, 130, 0, "bf16", true)]
    public void LatentAttention_LongContext_EqualsTheBody(int batch, int tokens, int past, string expansion, bool half) =>
        new AttentionCase(Model with { Heads = 2 }, batch, tokens, past + tokens, past + tokens, (_, s) => past + s, (_, _) => 1).Check(expansion, half);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void LatentAttention_RandomShape_EqualsTheBody(int seed)
    {
        var random = new RandomNumbers(seed);
        int heads = random.Next(1, 33), rank = 8 * random.Next(8, 65), rope = 2 * random.Next(8, 33);
        var shape = new AttentionShape(heads, rank, random.Next(4, 40), rope, random.Next(4, 40), Interleave: seed % 2 == 0);
        // Few of the rows where each is long.
        int past = random.Next(0, 2) == 0 ? random.Next(0, 60) : random.Next(500, 4096), batch = random.Next(1, past < 60 ? 18 : 3);
        int tokens = random.Next(0, 2) == 0 ? 1 : random.Next(2, 30);
        bool half = random.Next(0, 2) == 0;
        long[] lengths = [.. Enumerable.Range(0, batch).Select(_ => (long)random.Next(0, past + 1))];
        new AttentionCase(shape, batch, tokens, past + tokens, tokens, (b, s) => lengths[b] + s, (_, _) => 1).Check(half ? "bf16" : "f32", half);
    }

    [Theory]
    [InlineData(1, 1, 300)]
    [InlineData(3, 1, 40)]
    [InlineData(1, 40, 0)]
    public void LatentAttention_LargestShape_EqualsTheBody(int batch, int tokens, int past) =>
        new AttentionCase(new(32, 512, 16, 64, 24), batch, tokens, past, past + tokens, (_, s) => past + s, (_, _) => 1).Check("f32", half: false);

    [Theory]
    [MemberData(nameof(Types))]
    public void LatentAttention_LeftPads_AreNotWritten(string expansion, bool half) =>
        new AttentionCase(Small, 2, 7, 0, 7, (b, s) => b == 0 ? s : Math.Max(s - 3, 1), (b, t) => b == 0 || t >= 3 ? 1 : 0).Check(expansion, half);

    [Theory]
    [MemberData(nameof(Types))]
    public void LatentAttention_RightPads_AreNotWritten(string expansion, bool half) =>
        new AttentionCase(Small, 2, 7, 0, 7, (b, s) => b == 0 || s < 4 ? s : 0, (b, t) => b == 0 || t < 4 ? 1 : 0).Check(expansion, half);

    [Fact]
    public void LatentAttention_TokenAfterRightPads_TakesTheSlotOfItsPosition() =>
        new AttentionCase(Small, 2, 1, 7, 8, (b, _) => b == 0 ? 7 : 4, (b, t) => b == 0 || t < 4 || t == 7 ? 1 : 0).Check("f32", half: false);

    [Fact]
    public void LatentAttention_StaticMask_FindsItsTokensUnderTheLastUsedColumns() =>
        new AttentionCase(Small, 1, 4, 30, 30, (_, s) => 10 + s, (_, t) => t < 14 ? 1 : 0).Check("f32", half: false);

    [Fact]
    public void LatentAttention_StaticMaskOfAnEmptyCache_GrowsToItsLength() =>
        new AttentionCase(Small, 1, 4, 0, 12, (_, s) => s, (_, t) => t < 4 ? 1 : 0).Check("f16", half: true);

    [Theory]
    [MemberData(nameof(Types))]
    public void LatentAttention_IdleRow_WritesNothing(string expansion, bool half) =>
        new AttentionCase(Small, 3, 2, 20, 2, (b, s) => b == 1 ? -1 : 5 + s, (_, _) => 1).Check(expansion, half);

    [Fact]
    public void LatentAttention_MaskValuesOtherThanOne_CountAsOne() =>
        new AttentionCase(Small, 1, 3, 0, 3, (_, s) => s, (_, t) => t + 1).Check("f32", half: false);

    [Fact]
    public void LatentAttention_RewrittenPosition_ReplacesTheRow() =>
        new AttentionCase(Small, 1, 2, 9, 6, (_, s) => 4 + s, (_, _) => 1).Check("f32", half: false);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LatentAttention_NaNBeyondAPosition_IsNeverRead(bool half)
    {
        // Bodies multiply unused columns by zero; the library is held to the contract's stricter half.
        var clean = new AttentionCase(Model, 2, 2, 60, 2, (b, s) => 7 + 20 * b + s, (_, _) => 1);
        foreach (string isa in OperatorsLibrary.InstructionSets)
        {
            Tensor[] expected = clean.Node("f32", half).Library(isa), actual = (clean with { SpoiledFrom = row => 9 + 20 * row }).Node("f32", half).Library(isa);
            Close.Assert($"out on {isa}", expected[0], actual[0], limit: 0);
        }
    }
}
