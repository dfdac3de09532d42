using LatentMoE.Export.Formats;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Operators;

public sealed class MoEExpertsTests
{
    private const int Width = 24, Hidden = 10, Experts = 7, Slots = 3;

    public static TheoryData<int, int> Shapes => new()
    {
        { 1, 1 }, { 1, 0 }, { 2, 2 }, { MoEExperts.GatherUpTo, 1 }, { MoEExperts.GatherUpTo + 1, 1 }, { 37, 2 }, { 37, 0 }, { 150, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MoEExperts_RandomChoice_IsTheWeightedSum(int tokens, int shared)
    {
        var random = new RandomNumbers(tokens);
        int[] chosen = [.. Enumerable.Range(0, tokens).SelectMany(_ => Enumerable.Range(0, Experts).OrderBy(_ => random.Normal()).Take(Slots))];
        Check(tokens, shared, chosen);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public void MoEExperts_AllTokensOnOneExpert_LeavesTheOthersOut(int tokens) =>
        Check(tokens, 1, [.. Enumerable.Range(0, tokens).SelectMany(_ => new[] { 4, -1, -1 })]);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void MoEExperts_NoExpertAtAll_GivesTheSharedPartAlone(int tokens) =>
        Check(tokens, 1, [.. Enumerable.Repeat(-1, tokens * Slots)]);

    [Theory]
    [InlineData(4)]
    [InlineData(50)]
    public void MoEExperts_SomeSlotsEmpty_SkipsThem(int tokens) =>
        Check(tokens, 2, [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { t % 5 == 0 ? -1 : t % Experts, -1, (t + 1) % Experts })]);

    [Theory]
    [InlineData(1)]
    [InlineData(MoEExperts.GatherUpTo)]
    [InlineData(MoEExperts.GatherUpTo + 1)]
    [InlineData(60)]
    public void MoEExperts_ExpertsThatNobodyChose_AreNotComputed(int tokens) =>
        Check(tokens, 1, [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { 1 + t % 3, -1, 4 })], spoilUnchosen: true);

    // The weights of empty slots are not zero here: they must not count.
    private static void Check(int tokens, int shared, int[] chosen, bool spoilUnchosen = false)
    {
        var random = new RandomNumbers(tokens + 100 * shared);
        var config = TestConfigs.LatentMoE with
        {
            HiddenSize = Width, MoeIntermediateSize = Hidden, NRoutedExperts = Experts, NSharedExperts = shared, NumExpertsPerTok = Slots,
        };
        var x = OperatorRunner.Floats(random, 1, tokens, Width);
        var weights = OperatorRunner.Floats(random, 1, tokens, Slots);
        var gateUp = OperatorRunner.Floats(random, 0.3, Experts, 2 * Hidden, Width);
        var down = OperatorRunner.Floats(random, 0.4, Experts, Width, Hidden);
        foreach (int e in Enumerable.Range(0, spoilUnchosen ? Experts : 0).Except(chosen))
        {
            ((float[])gateUp.Values).AsSpan(e * 2 * Hidden * Width, 2 * Hidden * Width).Fill(float.NaN);
            ((float[])down.Values).AsSpan(e * Width * Hidden, Width * Hidden).Fill(float.NaN);
        }
        var sharedGateUp = OperatorRunner.Floats(random, 0.3, 2 * shared * Hidden, Width);
        var sharedDown = OperatorRunner.Floats(random, 0.4, Width, shared * Hidden);
        OperatorRunner.Input[] inputs = [x, new(chosen, tokens, Slots), weights, gateUp, down];

        var y = OperatorRunner.Run(new MoEExperts(config), shared > 0 ? [.. inputs, sharedGateUp, sharedDown] : inputs)[0];

        Assert.Equal([tokens, Width], y.Shape);
        Assert.All(y.Floats, value => Assert.True(float.IsFinite(value), $"y holds {value}"));
        double[] expected = ReferenceExperts.Forward(ReferenceMath.ToDouble((float[])x.Values), chosen, ReferenceMath.ToDouble((float[])weights.Values), Width, Hidden,
            (float[])gateUp.Values, (float[])down.Values, shared > 0 ? (float[])sharedGateUp.Values : null, shared > 0 ? (float[])sharedDown.Values : null);
        Close.Assert("y", expected, y.Floats);
    }

    [Theory]
    [MemberData(nameof(StoredFormats.All), MemberType = typeof(StoredFormats))]
    public void MoEExperts_EveryFormat_SumsTheStoredExperts(string name)
    {
        foreach (int tokens in new[] { MoEExperts.GatherUpTo, 20 })
        {
            CheckStored(StoredFormats.Named(name), tokens);
        }
    }

    private static void CheckStored(WeightFormat format, int tokens, Activations? activations = null)
    {
        const int Wide = 64, Inner = 32;
        var config = TestConfigs.LatentMoE with
        {
            HiddenSize = Wide, MoeIntermediateSize = Inner, NRoutedExperts = Experts, NSharedExperts = 2, NumExpertsPerTok = Slots,
        };
        var random = new RandomNumbers(tokens);
        int[] chosen = [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { t % Experts, -1, (t + 2) % Experts })];
        float[] x = random.Normal(tokens * Wide, 1);
        x = activations?.Round(x) ?? x;
        var weights = OperatorRunner.Floats(random, 1, tokens, Slots);
        (OperatorRunner.Input[] Tensors, float[] Values)[] stored =
        [
            OperatorRunner.Stored(format, random.Normal(Experts * 2 * Inner * Wide, 0.2), Experts, 2 * Inner, Wide),
            OperatorRunner.Stored(format, random.Normal(Experts * Wide * Inner, 0.3), Experts, Wide, Inner),
            OperatorRunner.Stored(format, random.Normal(4 * Inner * Wide, 0.2), 4 * Inner, Wide),
            OperatorRunner.Stored(format, random.Normal(Wide * 2 * Inner, 0.3), Wide, 2 * Inner),
        ];
        var op = new MoEExperts(config, format, activations?.Type ?? DataType.Float);

        var y = OperatorRunner.Run(op, [activations?.Input(x, tokens, Wide) ?? new(x, tokens, Wide), new(chosen, tokens, Slots), weights, .. stored.SelectMany(s => s.Tensors)])[0];

        double[] expected = ReferenceExperts.Forward(ReferenceMath.ToDouble(x), chosen, ReferenceMath.ToDouble((float[])weights.Values), Wide, Inner,
            stored[0].Values, stored[1].Values, stored[2].Values, stored[3].Values);
        Close.Assert($"y of {tokens} tokens", expected, y.Floats, activations?.Limit ?? 2e-6);
    }

    [Theory]
    [InlineData("f16", "f16", 1)]
    [InlineData("f16", "int4", 20)]
    [InlineData("bf16", "bf16", 20)]
    [InlineData("bf16", "int8", MoEExperts.GatherUpTo)]
    public void MoEExperts_NarrowActivations_RoundTheFloat32Sum(string type, string stored, int tokens) =>
        CheckStored(StoredFormats.Named(stored), tokens, Activations.Named(type));

    [Fact]
    public void MoEExperts_Quantised_HaveScalesAfterEveryMatrix()
    {
        var experts = new MoEExperts(TestConfigs.LatentMoE, StoredFormats.Named("int4"));
        Assert.Equal("MoEExpertsInt4", experts.Name);
        Assert.Equal("x experts weights gate_up gate_up_scales down down_scales shared_gate_up shared_gate_up_scales shared_down shared_down_scales", string.Join(' ', experts.Inputs));
    }
}
