using LatentMoE.Checkpoints;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;

namespace LatentMoE.Training.Tests.Trainer;

[Collection(TorchCollection.Name)]
public class ComputeDeviceTests
{
    [Theory]
    [InlineData("float32", torch.ScalarType.Float32)]
    [InlineData("bf16", torch.ScalarType.BFloat16)]
    public void Choose_Cpu(string dtype, torch.ScalarType expected)
    {
        var device = ComputeDevice.Choose("cpu", dtype);
        Assert.Equal((DeviceType.CPU, expected), (device.Device.type, device.Dtype));
        Assert.True(device.MeasurePeak() > 1e8);
    }

    [Theory]
    [InlineData("tpu", "auto", "device is \"tpu\"")]
    [InlineData("cpu", "int8", "dtype is \"int8\"")]
    public void Choose_RefusesUnknownNames(string device, string dtype, string message) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => ComputeDevice.Choose(device, dtype)).Message);

    [Fact]
    public void Choose_CudaOnlyWhereItIs()
    {
        if (torch.cuda.is_available())
        {
            Assert.True(ComputeDevice.Choose("auto", "auto").IsCuda);
            return;
        }
        Assert.Contains("--device=cpu", Assert.Throws<CheckpointException>(() => ComputeDevice.Choose("cuda", "auto")).Message);
        Assert.False(ComputeDevice.Choose("auto", "auto").IsCuda);
    }
}
