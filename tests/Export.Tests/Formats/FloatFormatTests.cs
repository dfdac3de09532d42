using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Tests.Formats.Encoding;

namespace LatentMoE.Export.Tests.Formats;

public sealed class FloatFormatTests
{
    [Fact]
    public void Float32_RoundTrip_IsExact()
    {
        float[] values = [.. new RandomNumbers(1).Normal(100, 1), float.MaxValue, float.Epsilon, -0f];
        Assert.Equal(values, RoundTrip(WeightFormat.Float32, values));
    }

    [Fact]
    public void Float16_EveryValue_RoundsToTheNearest()
    {
        float[] values = [.. new RandomNumbers(2).Normal(1000, 1), 65504, -65519, 6e-8f, 2e-8f, 1e-5f, 0, 1 / 3f];
        Assert.Equal(Array.ConvertAll(values, v => (float)(Half)v), RoundTrip(WeightFormat.Float16, values));
    }

    [Fact]
    public void BFloat16_EveryValue_IsWithinHalfAStep()
    {
        float[] values = new RandomNumbers(3).Normal(1000, 1);
        float[] rounded = RoundTrip(WeightFormat.BFloat16, values);
        Assert.All(values.Zip(rounded), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, Math.Abs(pair.First) / 256));
        Assert.All(rounded, v => Assert.Equal(0u, BitConverter.SingleToUInt32Bits(v) & 0xFFFF));
    }

    [Theory]
    [InlineData(1 + 1 / 2048f, 1)]
    [InlineData(1 + 3 / 2048f, 1 + 4 / 2048f)]
    [InlineData(1 + 1.001f / 2048f, 1 + 2 / 2048f)]
    public void Float16_Ties_GoToTheEvenNeighbour(float value, float expected) => Assert.Equal(expected, RoundTrip(WeightFormat.Float16, value)[0]);

    [Theory]
    [InlineData(1 + 1 / 256f, 1)]
    [InlineData(1 + 3 / 256f, 1 + 4 / 256f)]
    [InlineData(-1 - 3 / 256f, -1 - 4 / 256f)]
    [InlineData(1 + 1.001f / 256f, 1 + 2 / 256f)]
    [InlineData(1e-40f, 9.1835e-41f + 0f)]
    public void BFloat16_Ties_GoToTheEvenNeighbour(float value, float expected) =>
        Assert.Equal(expected, RoundTrip(WeightFormat.BFloat16, value)[0], Math.Abs(value) < 1e-30 ? 1e-41f : 0);

    [Fact]
    public void Float16_BeyondItsRange_IsRefusedByNameIndexAndValue()
    {
        string message = Assert.Throws<CheckpointException>(() => RoundTrip(WeightFormat.Float16, 1, 65520)).Message;
        Assert.Equal("tensor w: element 1 is 65520; float16 ends at 65504. Export with --precision=f32 or bf16.", message);
    }

    [Fact]
    public void BFloat16_BeyondItsRange_IsRefused() =>
        Assert.Contains("element 2 is 3.40282347E+38", Assert.Throws<CheckpointException>(() => RoundTrip(WeightFormat.BFloat16, 1, 3.3e38f, float.MaxValue)).Message, StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void WeightRows_NotFinite_AreRefusedByNameIndexAndValue(float value, string text)
    {
        string message = Assert.Throws<CheckpointException>(() => new WeightRows("tensor w", 100, [1, 2, value, 3])).Message;
        Assert.StartsWith($"tensor w: element 102 is {text}; expected a finite number", message, StringComparison.Ordinal);
    }
}
