using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class DataTests
{
    [Fact]
    public void Item_NeedsTheExactType()
    {
        using var number = tensor(2.5f);
        Assert.Equal(2.5f, number.item<float>());
        Assert.Throws<ArgumentException>(() => number.item<double>());
        Assert.Throws<ArgumentException>(() => number.item<int>());
        using var narrow = number.to(bfloat16);
        Assert.Throws<ArgumentException>(() => narrow.item<float>());
        Assert.Equal(2.5f, narrow.ToSingle());
    }

    [Fact]
    public void Item_NeedsOneElement()
    {
        using var pair = zeros(2);
        Assert.Throws<ArgumentException>(() => pair.item<float>());
    }

    [Fact]
    public void Data_ReadsInRowMajorOrderWhateverTheStrides()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, dtype: float32).view(2, 3);
        Assert.Equal([0f, 3, 1, 4, 2, 5], x.T.data<float>().ToArray());
        Assert.Equal(5f, x.data<float>()[1, 2]);
        Assert.Equal(6, x.data<float>().Count);
        Assert.Equal([0f, 1, 2, 3, 4, 5], x.data<float>());
        Assert.Throws<ArgumentException>(() => x.data<long>());
    }

    [Fact]
    public void Data_WritesTheTensor()
    {
        using var x = zeros(3);
        x.data<float>()[1] = 7;
        x.data<float>().CopyFrom(new[] { 5f }, 0, 2);
        TensorAssert.Close([0, 7, 5], x);
    }

    [Fact]
    public void Bytes_AreTheElements()
    {
        using var x = tensor(new[] { 1f, 2f });
        Assert.Equal(BitConverter.GetBytes(1f), x.bytes[..4].ToArray());
        x.bytes = new byte[8];
        TensorAssert.Close([0, 0], x);
        Assert.Throws<ArgumentException>(() => x.bytes = new byte[4]);
        using var narrow = ones(2, dtype: bfloat16);
        Assert.Equal([0x80, 0x3F, 0x80, 0x3F], narrow.bytes.ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    public void SaveLoad_RestoresBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var x = (arange(300, dtype: float32) * 0.37).to(type).view(3, 100);
        var y = zeros_like(x);
        using var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        x.Save(writer);
        writer.Flush();
        stream.Position = 0;
        y.Load(new BinaryReader(stream));
        TensorAssert.Equal(x, y);
        stream.Position = 0;
        Assert.Throws<ArgumentException>(() => zeros(4, dtype: type).Load(new BinaryReader(stream)));
    }

    [Fact]
    public void ReadBytesFromStream_Short_Throws()
    {
        using var x = zeros(4);
        Assert.ThrowsAny<IOException>(() => x.ReadBytesFromStream(new MemoryStream(new byte[10])));
    }
}
