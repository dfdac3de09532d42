using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Tests.Checkpoint;

public sealed class CheckpointTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tensors").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Index => Path.Combine(folder, "model.safetensors.index.json");

    private void Shard(string name, params string[] tensors) =>
        SafetensorsWriter.Write(Path.Combine(folder, name), tensors.Select((t, i) => SafetensorsEntry.Of(t, [1], new[] { (float)i })));

    private void Map(params (string Tensor, string Shard)[] entries) => File.WriteAllText(Index,
        new JsonObject { ["weight_map"] = new JsonObject(entries.Select(e => KeyValuePair.Create(e.Tensor, (JsonNode?)e.Shard))) }.ToJsonString());

    private string Refused(CheckpointConfig? config = null) => Assert.Throws<CheckpointException>(() => CheckpointTensors.Open(folder, config)).Message;

    [Fact]
    public void Open_MissingShard_IsNamed()
    {
        Shard("a.safetensors", "x");
        Map(("x", "a.safetensors"), ("y", "b.safetensors"));
        Assert.Equal($"{Index}: weight_map names b.safetensors, which the folder does not have. The checkpoint is incomplete: fetch it again.", Refused());
    }

    [Fact]
    public void Open_TensorInNoShard_IsNamed()
    {
        Shard("a.safetensors", "x");
        Map(("x", "a.safetensors"), ("y", "a.safetensors"));
        Assert.Contains("tensor y should be in a.safetensors, but no file has it", Refused());
    }

    [Fact]
    public void Open_TensorInAnotherShard_NamesBoth()
    {
        Shard("a.safetensors", "x", "z");
        Shard("b.safetensors", "y");
        Map(("x", "a.safetensors"), ("y", "a.safetensors"), ("z", "b.safetensors"));
        Assert.Contains("tensor y should be in a.safetensors, but is in b.safetensors", Refused());
    }

    [Fact]
    public void Open_TensorOutsideTheIndex_IsNamed()
    {
        Shard("a.safetensors", "x", "y");
        Map(("x", "a.safetensors"));
        Assert.Contains("tensor y of a.safetensors is not in the weight_map", Refused());
    }

    [Fact]
    public void Open_TensorInTwoShards_NamesBoth()
    {
        Shard("a.safetensors", "x");
        Shard("b.safetensors", "x", "y");
        Map(("x", "a.safetensors"), ("y", "b.safetensors"));
        string message = Refused();
        Assert.Contains("a.safetensors", message);
        Assert.Contains("tensor x is also in", message);
    }

    [Theory]
    [InlineData("{ \"weight_map\": 3 }")]
    [InlineData("{ \"weight_map\": { \"x\": 3 } }")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{ \"weight_map\"")]
    public void Open_DamagedIndex_SaysWhatIsExpected(string text)
    {
        File.WriteAllText(Index, text);
        Assert.StartsWith($"{Index}: expected a JSON object with a weight_map", Refused());
    }

    // All 256 numbers of F8_E4M3, by its definition.
    [Fact]
    public void ToFloat32_EightBits_AreExact()
    {
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"),
        [
            SafetensorsEntry.Of("e4m3", SafetensorsType.F8_E4M3, [256], [.. Enumerable.Range(0, 256).Select(i => (byte)i)]),
            SafetensorsEntry.Of("e8m0", SafetensorsType.F8_E8M0, [4], [0, 127, 130, 255]),
        ]);
        using var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        float[] values = file["e4m3"].ToFloat32();
        Assert.Equal([0, MathF.Pow(2, -9), 7 * MathF.Pow(2, -9), MathF.Pow(2, -6), 1, 1.125f, 448, float.NaN],
            new[] { 0x00, 0x01, 0x07, 0x08, 0x38, 0x39, 0x7E, 0x7F }.Select(bits => values[bits]));
        Assert.All(Enumerable.Range(0, 127), bits => Assert.Equal(-values[bits], values[bits + 128]));
        Assert.All(Enumerable.Range(0, 126), bits => Assert.True(values[bits] < values[bits + 1]));
        Assert.Equal([MathF.Pow(2, -127), 1, 8, float.NaN], file["e8m0"].ToFloat32());
    }

    // Blocks of 2 x 3 over 5 x 7: the last ones have one row or one column.
    [Fact]
    public void ToFloat32_Blocks_MultiplyByTheirFactorsFromAnyElementOn()
    {
        const byte One = 0x38;
        float[] factors = [.. Enumerable.Range(1, 9).Select(i => (float)i)];
        Quantised(5, 7, [3, 3], factors, One);
        float[] expected = [.. Enumerable.Range(0, 35).Select(i => factors[i / 7 / 2 * 3 + i % 7 / 3])];
        using var tensors = CheckpointTensors.Open(folder, Blocks(2, 3));
        Assert.Equal(expected, tensors.ToFloat32("w"));
        foreach (var (first, count) in new[] { (0, 35), (5, 9), (13, 1), (20, 15), (34, 1) })
        {
            var part = new float[count];
            tensors.ToFloat32("w", first, part);
            Assert.Equal(expected[first..(first + count)], part);
        }
        Assert.True(tensors.IsQuantised("w") && tensors.IsScale("w_scale_inv") && !tensors.IsScale("w"));
    }

    [Fact]
    public void Open_EightBitsWithoutQuantization_AsksForIt()
    {
        Quantised(2, 2, [1, 1], [1], 0);
        Assert.Contains("tensor w is F8_E4M3, but config.json has no quantization_config", Refused());
    }

    [Fact]
    public void Open_MissingFactors_AreNamed()
    {
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [SafetensorsEntry.Of("w", SafetensorsType.F8_E4M3, [2, 2], new byte[4])]);
        Assert.Contains("its factors, w_scale_inv, are missing", Refused(Blocks(128, 128)));
    }

    [Fact]
    public void Open_FactorsOfAnotherShape_NameBoth()
    {
        Quantised(5, 7, [2, 3], new float[6], 0);
        Assert.Contains("w_scale_inv has shape [2, 3]; blocks of 2 x 3 (weight_block_size in config.json) of w [5, 7] ask for [3, 3]", Refused(Blocks(2, 3)));
    }

    [Fact]
    public void Open_FactorsOfWholeNumbers_AreRefused()
    {
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"),
            [SafetensorsEntry.Of("w", SafetensorsType.F8_E4M3, [2, 2], new byte[4]), SafetensorsEntry.Of("w_scale_inv", [1, 1], new[] { 1L })]);
        Assert.Contains("w_scale_inv is I64; expected F32", Refused(Blocks(128, 128)));
    }

    [Fact]
    public void Open_QuantisedVector_IsRefused()
    {
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"),
            [SafetensorsEntry.Of("w", SafetensorsType.F8_E4M3, [2], new byte[2]), SafetensorsEntry.Of("w_scale_inv", [1], new[] { 1f })]);
        Assert.Contains("only matrices have factors", Refused(Blocks(128, 128)));
    }

    private static CheckpointConfig Blocks(int rows, int columns) => new(new ModelConfig(), [], new(rows, columns), 0);

    private void Quantised(int rows, int columns, long[] blocks, float[] factors, byte element) => SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"),
    [
        SafetensorsEntry.Of("w", SafetensorsType.F8_E4M3, [rows, columns], Enumerable.Repeat(element, rows * columns).ToArray()),
        SafetensorsEntry.Of("w_scale_inv", blocks, factors),
    ]);
}
