using Google.Protobuf;
using LatentMoE.Export.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>A session of a graph of one node: what ONNX Runtime costs without a model.</summary>
internal static class EmptySession
{
    public static void Run(int threads)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads };
        using var session = new InferenceSession(Model().ToByteArray(), options);
        using var run = new RunOptions();
        using var binding = session.CreateIoBinding();
        using var x = OrtValue.CreateTensorValueFromMemory(new float[1], [1]);
        binding.BindInput("x", x);
        binding.BindOutputToDevice("y", OrtMemoryInfo.DefaultInstance);
        session.RunWithBinding(run, binding);
    }

    private static ModelProto Model()
    {
        var graph = new GraphBuilder("empty");
        graph.Input("x", TensorProto.Types.DataType.Float, 1);
        graph.Output("y", TensorProto.Types.DataType.Float, 1);
        graph.Append("", "Neg", ["x"], ["y"], []);
        return graph.Build("LatentMoE.Benchmarks", "1");
    }
}
