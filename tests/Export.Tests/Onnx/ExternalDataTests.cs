using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Onnx;

public sealed class ExternalDataTests
{
    [Fact]
    public void WriteTo_PutsEveryTensorAtItsOffset()
    {
        var data = new ExternalData();
        var a = data.Add("a", DataType.Float, [3], stream => stream.Write(Enumerable.Repeat((byte)1, 12).ToArray()));
        var b = data.Add("b", DataType.Float, [2, 2], stream => stream.Write(Enumerable.Repeat((byte)2, 16).ToArray()));
        using var stream = new MemoryStream();
        data.WriteTo(stream);
        byte[] bytes = stream.ToArray();
        Assert.Equal("0", a!.ExternalData.Single(e => e.Key == "offset").Value);
        Assert.Equal("64", b!.ExternalData.Single(e => e.Key == "offset").Value);
        Assert.Equal((80L, 80), (data.Length, bytes.Length));
        Assert.All(bytes[..12], v => Assert.Equal(1, v));
        Assert.All(bytes[12..64], v => Assert.Equal(0, v));
        Assert.All(bytes[64..], v => Assert.Equal(2, v));
    }

    [Fact]
    public void Add_TheSameName_RefersToTheSameTensor()
    {
        var data = new ExternalData();
        Assert.NotNull(data.Add("a", DataType.Float, [3], _ => { }));
        Assert.Null(data.Add("a", DataType.Float, [3], _ => { }));
        Assert.Throws<ArgumentException>(() => data.Add("a", DataType.Float, [4], _ => { }));
        Assert.Throws<ArgumentException>(() => data.Add("a", DataType.Float16, [3], _ => { }));
    }

    [Fact]
    public void WriteTo_AWriterOfTheWrongLength_IsAnError()
    {
        var data = new ExternalData();
        data.Add("a", DataType.Float, [3], stream => stream.Write(new byte[8]));
        Assert.Contains("weight a wrote 8 bytes", Assert.Throws<InvalidOperationException>(() => data.WriteTo(new MemoryStream())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((int)DataType.Float, 24)]
    [InlineData((int)DataType.Float16, 12)]
    [InlineData((int)DataType.Bfloat16, 12)]
    [InlineData((int)DataType.Int8, 6)]
    [InlineData((int)DataType.Uint8, 6)]
    public void Add_EveryType_TakesItsBytes(int type, long bytes)
    {
        var data = new ExternalData();
        var tensor = data.Add("a", (DataType)type, [2, 3], stream => stream.Write(new byte[bytes]));
        data.WriteTo(new MemoryStream());
        Assert.Equal((type, bytes), (tensor!.DataType, data.Length));
    }
}
