using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;
using static LatentMoE.Export.Tests.Formats.Encoding;

namespace LatentMoE.Export.Tests.Formats;

public sealed class BlockFormatTests
{
    private static readonly WeightFormat Int8 = new Int8Format(32), Int4 = new Int4Format(32);

    [Theory]
    [InlineData(1)]
    [InlineData(1e-3)]
    [InlineData(1e4)]
    public void Int8_NormalWeights_AreWithinHalfAStep(double deviation)
    {
        float[] values = new RandomNumbers(1).Normal(32 * 200, deviation), rounded = RoundTrip(Int8, values);
        for (int i = 0; i < values.Length; i++)
        {
            float largest = values.AsSpan(i / 32 * 32, 32).ToArray().Max(MathF.Abs);
            Assert.InRange(Math.Abs(values[i] - rounded[i]), 0, largest / 127 * 0.5 * 1.05);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    public void Int4_LargestAtMinusEight_BeatsLargestAtSeven(int block)
    {
        float[] values = new RandomNumbers(2).Normal(block * 2000, 0.02);
        float[] symmetric = [.. values.Chunk(block).SelectMany(part =>
        {
            float scale = (float)(Half)(part.Max(MathF.Abs) / 7);
            return part.Select(v => scale * Math.Clamp(MathF.Round(v / scale), -7, 7));
        })];
        double ours = RootMeanSquare(RoundTrip(new Int4Format(block), values), values), other = RootMeanSquare(symmetric, values);
        Assert.True(ours < 0.95 * other, $"block {block}: rms {ours:g4} at −8, {other:g4} at 7");
        Assert.InRange(ours / 0.02, 0.05, 0.1);
    }

    [Fact]
    public void Int4_LargestMagnitude_IsMinusEightWhateverItsSign()
    {
        foreach (float largest in new[] { 4f, -4f })
        {
            var encoded = Encode(Int4, Block(32, 1, largest));
            Assert.Equal(0, encoded.Data[0] >> 4);
            Assert.Equal(-largest / 8, Scales(encoded)[0]);
            Assert.Equal([1, largest], Int4.Decode(encoded)[..2]);
        }
    }

    [Fact]
    public void Int4_EvenElements_AreTheLowNibbles()
    {
        // −8, 7, 0, −1 of scale 1.
        var encoded = Encode(Int4, Block(32, -8, 7, 0, -1));
        Assert.Equal([0xF0, 0x78, 0x88], encoded.Data[..3]);
    }

    [Fact]
    public void Int8_Elements_AreSignedBytes()
    {
        var encoded = Encode(Int8, Block(32, 127, -127, 1, -1, 0.5f, 1.5f, -2.5f));
        Assert.Equal([127, 0x81, 1, 0xFF, 0, 2, 0xFE, 0], encoded.Data[..8]);
        Assert.Equal([1f], Scales(encoded));
    }

    [Fact]
    public void Encode_Numbers_FitTheScaleAsItIsStored()
    {
        // max / 127 is no float16: a number chosen for the exact scale would differ.
        float[] values = Block(32, 100, 78.9f, -45.6f);
        float scale = (float)(Half)(100 / 127f);
        Assert.NotEqual(100 / 127f, scale);
        Assert.Equal(Array.ConvertAll(values, v => MathF.Round(v / scale) * scale), RoundTrip(Int8, values));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Encode_ZeroBlock_IsZeroWithoutAScale(bool four)
    {
        var encoded = Encode(four ? Int4 : Int8, new float[64]);
        Assert.Equal([0f, 0f], Scales(encoded));
        Assert.All((four ? Int4 : Int8).Decode(encoded), v => Assert.Equal(0f, v));
    }

    [Theory]
    [InlineData(true, 1e-7f)]
    [InlineData(false, 1e-7f)]
    [InlineData(true, 1e-6f)]
    [InlineData(false, 1e-6f)]
    [InlineData(true, 1.2e-5f)]
    [InlineData(false, 1.2e-5f)]
    [InlineData(false, 3e-3f)]
    public void Encode_TinyValues_StayWithinAStepOfTheSmallestScale(bool four, float largest)
    {
        const float Smallest = 5.9604645e-8f; // Of the positive float16 numbers; the scales here are few of them.
        float[] values = Block(32, largest, -largest / 3, largest / 5, -largest);
        float[] rounded = RoundTrip(four ? Int4 : Int8, values);
        // The opposite of the largest magnitude is −8 as well, and stored as 7.
        float step = Smallest + largest / (four ? 8 : 127);
        Assert.All(values.Zip(rounded), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, step * (four ? 1.1f : 0.51f)));
    }

    [Theory]
    [InlineData(true, 5.3e5f)]
    [InlineData(false, 8.4e6f)]
    public void Encode_ScaleBeyondFloat16_IsRefusedByNameIndexAndValue(bool four, float value)
    {
        var format = four ? Int4 : Int8;
        string message = Assert.Throws<CheckpointException>(() => RoundTrip(format, [.. new float[32], .. Block(32, 0, value)])).Message;
        Assert.StartsWith("tensor w: element 33 is", message, StringComparison.Ordinal);
        Assert.Contains("--precision=f32 or bf16", message, StringComparison.Ordinal);
        RoundTrip(format, Block(32, value * 0.98f));
    }

    [Fact]
    public void Tensors_OfAStack_HaveTheShapesOfTheContract()
    {
        Assert.Equal(["m/Int8/4,6,64", "m_scales/Float16/4,6,2"], Tensors(Int8));
        Assert.Equal(["m/Uint8/4,6,32", "m_scales/Float16/4,6,4"], Tensors(new Int4Format(16)));
        Assert.Throws<ArgumentException>(() => Int8.Tensors("m", [4, 48]));
        static string[] Tensors(WeightFormat format) => [.. format.Tensors("m", [4, 6, 64]).Select(t => $"{t.Name}/{(DataType)t.Type}/{string.Join(",", t.Shape)}")];
    }

    [Fact]
    public void Rounded_Format_StoresWhatTheOtherGivesBack()
    {
        float[] values = new RandomNumbers(4).Normal(320, 0.1);
        var rounded = new RoundedFormat(Int4);
        Assert.Equal(RoundTrip(Int4, values), RoundTrip(rounded, values));
        Assert.Equal(DataType.Float, rounded.Tensors("m", [10, 32]).Single().Type);
    }

    private static float[] Scales(EncodedRows rows) => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(rows.Scales).ToArray(), v => (float)v);
}
