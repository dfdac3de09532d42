using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Runtime.Tests.Packages;

[Collection(nameof(TestPackages))]
public class SessionFactoryTests
{
    private sealed class Recorder : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }

    [Fact]
    public void Load_SaysWhichDeviceAndWhy()
    {
        var log = new Recorder();
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Auto, Logger = log });
        string line = Assert.Single(log.Lines);
        Assert.StartsWith($"Running on {model.Device} (", line);
        Assert.Contains(CudaSupport.HasDriver ? "" : "no NVIDIA driver", line);
        Assert.Contains("operator library:", line);
    }

    [Fact]
    public void Load_CudaWithoutADriver_SaysWhatIsMissing()
    {
        if (CudaSupport.HasDriver)
        {
            return;
        }
        var error = Assert.Throws<NotSupportedException>(() => TestPackages.Load("LatentMoE", new() { Device = Device.Cuda }));
        Assert.Contains("libcuda.so.1", error.Message);
        Assert.Contains("Device.Cpu", error.Message);
    }

    [Fact]
    public void Load_DeviceWhoseLogitsAreNoNumbers_FallsBackToTheCpu()
    {
        using var folder = TestPackages.Copy("LatentDense");
        byte[] weights = File.ReadAllBytes(folder["model.onnx.data"]);
        Array.Fill(weights, byte.MaxValue); // NaN
        File.WriteAllBytes(folder["model.onnx.data"], weights);
        var log = new Recorder();
        using var model = LanguageModel.Load(folder.Path, new() { Device = Device.Auto, PretendDevice = true, Logger = log });
        Assert.Equal(Device.Cpu, model.Device);
        Assert.Contains("not a finite number", Assert.Single(log.Lines));
    }

    [Fact]
    public void Load_OperatorLibraryMissing_NamesIt()
    {
        var error = Assert.Throws<CheckpointException>(() => TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, OperatorLibrary = "/no/such/library.so" }));
        Assert.StartsWith("/no/such/library.so: no such operator library", error.Message);
    }

    [Fact]
    public void Load_OperatorLibraryThatIsNone_NamesIt()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.WriteAllText(folder["liblatentmoe_ops.so"], "not a library");
        var error = Assert.Throws<CheckpointException>(() => TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, OperatorLibrary = folder["liblatentmoe_ops.so"] }));
        Assert.StartsWith($"{folder["liblatentmoe_ops.so"]}: ONNX Runtime cannot register it", error.Message);
    }

    [Fact]
    public void Load_OperatorLibraryInThePackage_IsNotTaken()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.WriteAllText(folder["liblatentmoe_ops.so"], "not a library");
        using var model = LanguageModel.Load(folder.Path, new() { Device = Device.Cpu });
        Assert.Single(model.GenerateTokens([5], GenerationOptions.Greedy with { MaxNewTokens = 1 }));
    }

    [Fact]
    public void Create_Probe_LeavesASessionAsNew()
    {
        using var pool = new SessionFactory(ModelPackage.Open(TestPackages.Package("LatentMoE")), new() { Device = Device.Cpu, Threads = 1 }).Create();
        var probed = pool.Rent(CancellationToken.None);
        using var fresh = new DecoderSession(pool.Graph);
        Assert.Equal(0, probed.Position);
        for (int token = 3; token < 9; token++)
        {
            probed.Step(token);
            fresh.Step(token);
            Assert.Equal(fresh.Logits, probed.Logits);
        }
        Assert.Equal(fresh.ViewLength, probed.ViewLength);
        pool.Return(probed);
    }

    [Fact]
    public void Load_ConfigureSession_IsApplied()
    {
        int calls = 0;
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, ConfigureSession = _ => calls++ });
        Assert.Equal(1, calls);
    }
}
