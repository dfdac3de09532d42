using System.Runtime.InteropServices;
using Google.Protobuf;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
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
        var types = new Dictionary<string, DataType>();
        var values = new Dictionary<string, OrtValue>();
        foreach (var (name, input) in op.Inputs.Zip(inputs))
        {
            object[] extents = [.. input.Shape.Select((_, axis) => $"{name}_{axis}")];
            (DataType type, OrtValue value) = input.Values switch
            {
                float[] floats => (DataType.Float, OrtValue.CreateTensorValueFromMemory(floats, input.Shape)),
                long[] longs => (DataType.Int64, OrtValue.CreateTensorValueFromMemory(longs, input.Shape)),
                int[] ints => (DataType.Int32, OrtValue.CreateTensorValueFromMemory(ints, input.Shape)),
                // To the runtime, an array of bytes is one of signed bytes too.
                byte[] bytes when input.Values.GetType() == typeof(byte[]) => (DataType.Uint8, OrtValue.CreateTensorValueFromMemory(bytes, input.Shape)),
                sbyte[] bytes => (DataType.Int8, OrtValue.CreateTensorValueFromMemory(bytes, input.Shape)),
                Float16[] halves => (DataType.Float16, OrtValue.CreateTensorValueFromMemory(halves, input.Shape)),
                BFloat16[] brains => (DataType.Bfloat16, OrtValue.CreateTensorValueFromMemory(brains, input.Shape)),
                _ => throw new ArgumentException($"input {name} holds {input.Values.GetType()}"),
            };
            graph.Input(name, type, extents);
            types.Add(name, type);
            values.Add(name, value);
        }
        op.Call(graph, [.. op.Inputs], [.. op.Outputs]);
        foreach (string name in op.Outputs)
        {
            graph.Output(name, name switch
            {
                "experts" => DataType.Int32,
                "weights" => DataType.Float,
                "present_key" or "present_value" => types[name.Replace("present", "past", StringComparison.Ordinal)],
                _ => types[op.Inputs[0]],
            }, null);
        }
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
        using var session = new InferenceSession(graph.Build("test", "1").ToByteArray(), options);
        using var run = new RunOptions();
        using var results = session.Run(run, values, op.Outputs);
        return [.. results.Select(Read)];
    }

    public static Input Floats(RandomNumbers random, double deviation, params long[] shape) =>
        new(random.Normal(shape.Aggregate(1L, (a, b) => a * b), deviation), shape);

    /// <summary>A matrix, or a stack of them, as the tensors of a format; and the values that these stand for.</summary>
    public static (Input[] Tensors, float[] Values) Stored(WeightFormat format, float[] values, params long[] shape)
    {
        var encoded = format.Encode(new WeightRows("w", 0, values));
        Array Elements(DataType type, byte[] bytes) => type switch
        {
            DataType.Float => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            DataType.Float16 => MemoryMarshal.Cast<byte, Float16>(bytes).ToArray(),
            DataType.Bfloat16 => MemoryMarshal.Cast<byte, BFloat16>(bytes).ToArray(),
            DataType.Int8 => MemoryMarshal.Cast<byte, sbyte>(bytes).ToArray(),
            _ => bytes,
        };
        var tensors = format.Tensors("w", shape).Select((t, i) => new Input(Elements(t.Type, i == 0 ? encoded.Data : encoded.Scales), t.Shape));
        return ([.. tensors], format.Decode(encoded));
    }

    private static Output Read(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType switch
        {
            TensorElementType.Int32 => new(info.Shape, [], value.GetTensorDataAsSpan<int>().ToArray()),
            TensorElementType.Float16 => new(info.Shape, Array.ConvertAll(value.GetTensorDataAsSpan<Float16>().ToArray(), v => (float)v), []),
            TensorElementType.BFloat16 => new(info.Shape, Array.ConvertAll(value.GetTensorDataAsSpan<BFloat16>().ToArray(), v => (float)v), []),
            _ => new(info.Shape, value.GetTensorDataAsSpan<float>().ToArray(), []),
        };
    }

    public sealed record Output(long[] Shape, float[] Floats, int[] Ints);
}
