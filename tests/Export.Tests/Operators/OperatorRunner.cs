using Google.Protobuf;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Operators;

/// <summary>
/// Runs one operator's body: a model of a single node, whose inputs are the operator's, on ONNX Runtime without optimisation.
/// </summary>
internal static class OperatorRunner
{
    public sealed record Input(Array Values, params long[] Shape);

    /// <summary>The outputs in their order.</summary>
    public static Output[] Run(Operator op, params Input[] inputs)
    {
        var graph = new GraphBuilder("one");
        var values = new Dictionary<string, OrtValue>();
        foreach (var (name, input) in op.Inputs.Zip(inputs))
        {
            object[] extents = [.. input.Shape.Select((_, axis) => $"{name}_{axis}")];
            (DataType type, OrtValue value) = input.Values switch
            {
                float[] floats => (DataType.Float, OrtValue.CreateTensorValueFromMemory(floats, input.Shape)),
                long[] longs => (DataType.Int64, OrtValue.CreateTensorValueFromMemory(longs, input.Shape)),
                int[] ints => (DataType.Int32, OrtValue.CreateTensorValueFromMemory(ints, input.Shape)),
                _ => throw new ArgumentException($"input {name} holds {input.Values.GetType()}"),
            };
            graph.Input(name, type, extents);
            values.Add(name, value);
        }
        op.Call(graph, [.. op.Inputs], [.. op.Outputs]);
        foreach (string name in op.Outputs)
        {
            graph.Output(name, name == "experts" ? DataType.Int32 : DataType.Float, null);
        }
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
        using var session = new InferenceSession(graph.Build("test", "1").ToByteArray(), options);
        using var run = new RunOptions();
        using var results = session.Run(run, values, op.Outputs);
        return [.. results.Select(Read)];
    }

    public static Input Floats(RandomNumbers random, double deviation, params long[] shape) =>
        new(random.Normal(shape.Aggregate(1L, (a, b) => a * b), deviation), shape);

    private static Output Read(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int32
            ? new(info.Shape, [], value.GetTensorDataAsSpan<int>().ToArray())
            : new(info.Shape, value.GetTensorDataAsSpan<float>().ToArray(), []);
    }

    public sealed record Output(long[] Shape, float[] Floats, int[] Ints);
}
