using Google.Protobuf;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>
/// A model of one operator, whose inputs are the model's. It runs by the operator's body, in a session without the library, and by
/// the library, in a model without the body: neither can take the other's place.
/// </summary>
internal sealed class SingleNode
{
    private readonly Tensor[] tensors;
    private readonly string[] inputs, outputs;
    private readonly byte[] withBody, withoutBody;

    public SingleNode(Operator op, params Tensor[] tensors)
    {
        this.tensors = tensors;
        var graph = new GraphBuilder("one");
        (inputs, outputs) = ([.. op.Inputs], [.. op.Outputs]);
        if (tensors.Length != inputs.Length)
        {
            throw new ArgumentException($"{op.Name} takes {inputs.Length} inputs ({string.Join(", ", inputs)}), not {tensors.Length}");
        }
        foreach (var (name, tensor) in inputs.Zip(tensors))
        {
            graph.Input(name, tensor.Type, [.. tensor.Shape.Select((_, axis) => $"{name}_{axis}")]);
        }
        op.Call(graph, inputs, outputs);
        foreach (string name in outputs)
        {
            // Activations and the cache are written in the type in which they are read.
            graph.Output(name, name switch
            {
                "experts" => DataType.Int32,
                "weights" => DataType.Float,
                "present_key" or "present_value" => tensors[^1].Type,
                _ => tensors[0].Type,
            }, null);
        }
        var model = graph.Build("test", "1");
        withBody = model.ToByteArray();
        model.Functions.Clear();
        withoutBody = model.ToByteArray();
    }

    /// <summary>Compares the library's outputs, on every instruction set of this machine, with those of the body in stock ONNX Runtime.</summary>
    /// <param name="compare">Takes the instruction set, the expected and the actual outputs.</param>
    public void Compare(Action<string, Tensor[], Tensor[]> compare)
    {
        Tensor[] expected = Body();
        foreach (string isa in OperatorsLibrary.InstructionSets)
        {
            compare(isa, expected, Library(isa));
        }
    }

    public Tensor[] Body() => Run(withBody, _ => { });

    public Tensor[] Library(string isa) => Run(withoutBody, options => OperatorsLibrary.Register(options, isa));

    private Tensor[] Run(byte[] model, Action<SessionOptions> configure)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 2,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        configure(options);
        using var session = new InferenceSession(model, options);
        using var run = new RunOptions();
        var values = tensors.Select(tensor => tensor.ToValue()).ToList();
        using var results = session.Run(run, inputs, values, outputs);
        values.ForEach(value => value.Dispose());
        return [.. results.Select(Tensor.Read)];
    }
}
