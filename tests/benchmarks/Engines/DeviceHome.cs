using Google.Protobuf;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Export.Onnx;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>
/// Tensors in a CUDA device's memory, at addresses that never change, as a captured run needs them. A session of one Identity copies from
/// the host: ONNX Runtime moves what it is given to the device, and the node puts it where it belongs.
/// </summary>
internal sealed class DeviceHome : TensorHome
{
    private const string Input0 = "x", Output0 = "y";
    private const int Period = 1 << 20; // bytes of a cache after which its random numbers repeat
    private readonly DeviceMemory memory;
    private readonly InferenceSession copy;
    private readonly RunOptions run;
    private readonly List<(OrtValue Host, OrtValue Device)> inputs = [];

    /// <param name="onCuda">False for tests: the same, with the CPU as the device.</param>
    public DeviceHome(InferenceSession session, bool onCuda = true)
    {
        memory = Own(new DeviceMemory(session, onCuda));
        run = Own(new RunOptions());
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (onCuda)
        {
            options.AppendExecutionProvider_CUDA();
        }
        copy = Own(new InferenceSession(CopyModel(), options));
    }

    public override bool IsDevice => true;

    public override OrtValue Input(NativeBuffer<long> buffer, params long[] shape)
    {
        var device = Own(new DeviceTensor(memory, TensorElementType.Int64, shape));
        long count = shape.Aggregate(1L, (a, b) => a * b);
        inputs.Add((Own(buffer.Tensor(TensorElementType.Int64, count)), Own(device.View(count))));
        Copy(inputs[^1].Host, inputs[^1].Device);
        return device.Value;
    }

    public override OrtValue Output(TensorElementType type, params long[] shape) => Own(new DeviceTensor(memory, type, shape)).Value;

    public override OrtValue Cache(PackageModel model, long[] shape, ulong? seed)
    {
        int bytes = Bytes(model, shape), words = bytes / sizeof(long);
        using var host = new NativeBuffer<byte>(bytes);
        if (seed is { } number)
        {
            int drawn = Math.Min(Period, bytes);
            RandomCache.Fill(host.Span[..drawn], model.CacheType, number);
            for (int at = drawn; at < bytes; at += drawn)
            {
                host.Span[..Math.Min(drawn, bytes - at)].CopyTo(host.Span[at..]);
            }
        }
        var allocation = Own(memory.Allocate(bytes));
        using var from = host.Tensor(TensorElementType.Int64, words);
        using var to = memory.Tensor(allocation, bytes, TensorElementType.Int64, words);
        Copy(from, to);
        return Own(memory.Tensor(allocation, bytes, model.CacheType, shape));
    }

    public override void Feed()
    {
        foreach (var (host, device) in inputs)
        {
            Copy(host, device);
        }
    }

    private void Copy(OrtValue host, OrtValue device)
    {
        using var binding = copy.CreateIoBinding();
        binding.BindInput(Input0, host);
        binding.BindOutput(Output0, device);
        binding.SynchronizeBoundInputs();
        copy.RunWithBinding(run, binding);
    }

    private static byte[] CopyModel()
    {
        var graph = new GraphBuilder("copy");
        graph.Input(Input0, TensorProto.Types.DataType.Int64, "n");
        graph.Output(Output0, TensorProto.Types.DataType.Int64, "n");
        graph.Append("", "Identity", [Input0], [Output0], []);
        return graph.Build("LatentMoE.Benchmarks", "1").ToByteArray();
    }
}
