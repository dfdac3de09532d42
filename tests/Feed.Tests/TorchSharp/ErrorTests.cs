using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class ErrorTests
{
    [Fact]
    public void Mm_ShapeMismatch_NamesTheShapes()
    {
        using var a = zeros(3, 4);
        var error = Assert.Throws<ExternalException>(() => a.mm(a)); // matmul's would end the process in TorchSharp 0.107
        Assert.Contains("mat1 and mat2 shapes cannot be multiplied (3x4 and 3x4)", error.Message);
    }

    [Fact]
    public void Add_ShapeMismatch_NamesTheSizes()
    {
        using var a = zeros(3);
        using var b = zeros(4);
        var error = Assert.Throws<ExternalException>(() => a + b);
        Assert.Contains("The size of tensor a (3) must match the size of tensor b (4)", error.Message);
    }

    [Fact]
    public void View_WrongSize_Throws()
    {
        using var a = zeros(6);
        var error = Assert.Throws<ExternalException>(() => a.view(4, 2));
        Assert.Contains("shape '[4, 2]' is invalid for input of size 6", error.Message);
    }

    [Fact]
    public void Select_OutOfRange_Throws()
    {
        using var a = zeros(2, 2);
        Assert.Throws<ExternalException>(() => a[5]);
        Assert.Throws<ExternalException>(() => a.transpose(0, 3));
        Assert.Throws<ExternalException>(() => a.size(2));
    }

    [Fact]
    public void Disposed_Throws()
    {
        var a = zeros(2);
        a.Dispose();
        Assert.True(a.IsInvalid);
        Assert.Throws<InvalidOperationException>(() => a + 1);
        a.Dispose();
    }

    [Fact]
    public void Error_LeavesTheLibraryUsable()
    {
        using var a = ones(2, 3);
        for (int i = 0; i < 10; i++)
            Assert.Throws<ExternalException>(() => a.mm(a));
        Assert.Equal(6f, a.sum().item<float>());
    }
}
