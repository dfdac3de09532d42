using System.Buffers.Binary;
using System.Text;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Tests.Checkpoint;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("safetensors").FullName;

    private string Target => Path.Combine(folder, "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void WriteRaw(string header, int dataBytes, long? declared = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, declared ?? json.Length);
        json.CopyTo(file, 8);
        File.WriteAllBytes(Target, file);
    }

    [Fact]
    public void Write_ThenOpen_GivesTheSameTensors()
    {
        float[] floats = [1.5f, -2f, float.NaN, float.PositiveInfinity, 0f, 3f];
        long[] longs = [long.MinValue, 7];
        SafetensorsWriter.Write(Target,
            [
                SafetensorsEntry.Of("bytes", SafetensorsType.U8, [3], [1, 2, 3]),
                SafetensorsEntry.Of("f", [2, 3], floats),
                SafetensorsEntry.Of("i", [2], longs),
                SafetensorsEntry.Of("empty", [0, 4], Array.Empty<float>()),
                SafetensorsEntry.Of("scalar", [], new[] { 9f }),
            ],
            new Dictionary<string, string> { ["format"] = "pt" });
        using var file = SafetensorsFile.Open(Target);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(["bytes", "empty", "f", "i", "scalar"], file.Tensors.Select(t => t.Name).Order());
        Assert.Equal(floats, file["f"].Expect(2, 3).ToFloat32());
        Assert.Equal(longs, file["i"].Span<long>().ToArray());
        Assert.Equal([1, 2, 3], file["bytes"].Bytes.ToArray());
        Assert.Equal(0, file["empty"].Length);
        Assert.Equal([9f], file["scalar"].Expect().ToFloat32());
        Assert.Equal([Path.GetFileName(Target)], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    [Fact]
    public void ToFloat32_NarrowTypes_AreExact()
    {
        SafetensorsWriter.Write(Target,
        [
            SafetensorsEntry.Of("bf16", SafetensorsType.BF16, [2], [0x80, 0x3F, 0x00, 0xC0]),
            SafetensorsEntry.Of("f16", SafetensorsType.F16, [2], [0x00, 0x3C, 0x00, 0xC0]),
            SafetensorsEntry.Of("f64", [1], new[] { 0.1 }),
        ]);
        using var file = SafetensorsFile.Open(Target);
        Assert.Equal([1f, -2f], file["bf16"].ToFloat32());
        Assert.Equal([1f, -2f], file["f16"].ToFloat32());
        Assert.Equal([0.1f], file["f64"].ToFloat32());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "holds 4 bytes of tensor data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "holds 12 bytes of tensor data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "begins at data offset 4; expected 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "begins at data offset 4; expected 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}""", 8, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype \"F33\"")]
    [InlineData("""{"a":{"dtype":"1","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype \"1\"")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "header that is not the expected JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "header that is not the expected JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "data_offsets [8, 0]")]
    [InlineData("""{"a":7""", 0, "header that is not the expected JSON")]
    public void Open_LyingHeader_NamesFileAndPlace(string header, int dataBytes, string expected)
    {
        WriteRaw(header, dataBytes);
        var error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(Target));
        Assert.StartsWith(Target + ":", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    [InlineData(99_999_999L)]
    public void Open_LyingLength_IsAnError(long declared)
    {
        WriteRaw("{}", 0, declared);
        Assert.Contains("header of", Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(Target)).Message);
    }

    [Fact]
    public void Open_TruncatedAnywhere_IsAnError()
    {
        SafetensorsWriter.Write(Target, [SafetensorsEntry.Of("weight", [4, 4], new float[16]), SafetensorsEntry.Of("ids", [3], new long[3])]);
        byte[] whole = File.ReadAllBytes(Target);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Target, whole[..length]);
            Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(Target).Dispose());
        }
    }

    [Fact]
    public void Open_FlippedHeaderBytes_NeverCrash()
    {
        SafetensorsWriter.Write(Target, [SafetensorsEntry.Of("weight", [4, 4], new float[16])]);
        byte[] whole = File.ReadAllBytes(Target);
        var random = new Random(1);
        int refused = 0;
        for (int trial = 0; trial < 500; trial++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(whole.Length - 64)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(Target, damaged);
            try
            {
                using var file = SafetensorsFile.Open(Target);
                foreach (var tensor in file.Tensors)
                {
                    Assert.Equal(tensor.ByteLength, tensor.Bytes.Length);
                }
            }
            catch (CheckpointException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 100, 500);
    }

    [Fact]
    public void Write_CallbackOfWrongLength_LeavesNothing()
    {
        Assert.Throws<InvalidOperationException>(() =>
            SafetensorsWriter.Write(Target, [new SafetensorsEntry("short", SafetensorsType.F32, [2], stream => stream.WriteByte(1))]));
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void Expect_OtherShape_NamesBoth()
    {
        SafetensorsWriter.Write(Target, [SafetensorsEntry.Of("w", [2, 3], new float[6])]);
        using var file = SafetensorsFile.Open(Target);
        string message = Assert.Throws<CheckpointException>(() => file["w"].Expect(3, 2)).Message;
        Assert.Contains("w has shape [2, 3]", message);
        Assert.Contains("[3, 2]", message);
    }

    [Fact]
    public void CheckpointTensors_Index_ReadsShardsAndRefusesEscapes()
    {
        SafetensorsWriter.Write(Path.Combine(folder, "a.safetensors"), [SafetensorsEntry.Of("x", [1], new[] { 1f })]);
        SafetensorsWriter.Write(Path.Combine(folder, "b.safetensors"), [SafetensorsEntry.Of("y", [1], new[] { 2f })]);
        string index = Path.Combine(folder, "model.safetensors.index.json");
        File.WriteAllText(index, """{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}""");
        using (var tensors = CheckpointTensors.Open(folder))
        {
            Assert.Equal([2f], tensors["y"].ToFloat32());
            Assert.Contains("z is missing", Assert.Throws<CheckpointException>(() => tensors["z"]).Message);
        }
        File.WriteAllText(index, """{"weight_map":{"x":"../a.safetensors"}}""");
        Assert.Contains("same folder", Assert.Throws<CheckpointException>(() => CheckpointTensors.Open(folder)).Message);
    }

    [Fact]
    public void CheckpointTensors_Open_WithoutWeights_SaysWhatIsMissing() =>
        Assert.Contains("model.safetensors", Assert.Throws<CheckpointException>(() => CheckpointTensors.Open(folder)).Message);
}
