using Google.Protobuf;
using LatentMoE.Export.Onnx;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>What the library tells ONNX Runtime: its settings, its types, the shapes of its outputs, its version.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public void Register_UnknownInstructionSet_NamesThoseOfTheMachine()
    {
        using var options = new SessionOptions();
        var error = Assert.Throws<OnnxRuntimeException>(() => OperatorsLibrary.Register(options, isa: "mmx"));
        Assert.Contains("latentmoe.isa is 'mmx'", error.Message);
        Assert.Contains("plain", error.Message);
    }

    [Fact]
    public void Register_UnknownOperator_NamesTheKnown()
    {
        using var options = new SessionOptions();
        var error = Assert.Throws<OnnxRuntimeException>(() => OperatorsLibrary.Register(options, disable: "Linear, Liner"));
        Assert.Contains("latentmoe.disable names 'Liner'", error.Message);
        Assert.Contains("AddRmsNorm, LatentAttention, Linear, LinearInt4, LinearInt8, MoEExperts, MoEExpertsInt4, MoEExpertsInt8, MoERouter, SelectToken", error.Message);
    }

    [Fact]
    public void Register_Disabled_LeavesTheOperatorOut()
    {
        using var options = new SessionOptions();
        OperatorsLibrary.Register(options, disable: " Linear ,MoERouter");
        using var experts = new InferenceSession(RawNodes.MoE().Model(), options);
        // Without a body there is no operator of that name.
        var error = Assert.Throws<OnnxRuntimeException>(() => new InferenceSession(RawNodes.Linear().Model(), options));
        Assert.Contains("Linear", error.Message);
    }

    [Fact]
    public void Register_SeveralTypes_ServeOneSession()
    {
        var model = ModelProto.Parser.ParseFrom(RawNodes.Linear().Model());
        foreach (var type in new[] { DataType.Float16, DataType.Bfloat16 })
        {
            model.Graph.Input.Add(new ValueInfoProto { Name = $"weight {type}", Type = Tensors.Type(type, 8, RawNodes.Width) });
            model.Graph.Node.Add(new NodeProto { OpType = "Linear", Domain = Opset.LatentMoEDomain, Input = { "x", $"weight {type}" }, Output = { $"y {type}" } });
            model.Graph.Output.Add(new ValueInfoProto { Name = $"y {type}", Type = Tensors.Type(DataType.Float, null) });
        }
        using var options = new SessionOptions();
        OperatorsLibrary.Register(options);
        using var session = new InferenceSession(model.ToByteArray(), options);
        Assert.Equal(3, session.OutputNames.Count);
    }

    [Fact]
    public void Register_TypeWithoutKernel_IsRefused()
    {
        var error = Assert.Throws<OnnxRuntimeException>(() => RawNodes.Linear().With("weight", new Tensor(DataType.Double, [8, 32], new byte[8 * 32 * 8])).Run());
        Assert.Contains("double", error.Message);
        Assert.Contains(RawNode.Name, error.Message);
    }

    public static TheoryData<string, string, string> Shapes { get; } = new()
    {
        { "Linear", "y", "batch,sequence,8" },
        { "MoERouter", "experts", "tokens,3" },
        { "MoERouter", "weights", "tokens,3" },
        { "MoEExperts", "y", "tokens,32" },
        { "AddRmsNorm", "y", "batch,sequence,32" },
        { "AddRmsNorm", "sum", "batch,sequence,32" },
        { "LatentAttention", "out", "batch,sequence,12" },
        { "LatentAttention", "present_key", "batch,1,max(past,total),8" },
        { "LatentAttention", "present_value", "batch,1,max(past,total),8" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Inference_NamedExtents_GiveTheOutputsShape(string op, string output, string expected)
    {
        RawNode node = op switch
        {
            "Linear" => RawNodes.Linear(),
            "MoERouter" => RawNodes.Router(),
            "MoEExperts" => RawNodes.MoE(),
            "AddRmsNorm" => RawNodes.AddNorm(),
            _ => RawNodes.Attention(),
        };
        var named = new Dictionary<string, object[]>
        {
            ["position_ids"] = op == "MoERouter" ? ["tokens"] : ["batch", "sequence"],
            ["x"] = op == "Linear" ? ["batch", "sequence", 32] : ["tokens", 32],
            ["residual"] = ["batch", "sequence", 32],
            ["attention_mask"] = ["batch", "total"],
            ["past_key"] = ["batch", 1, "past", 8],
        };
        var model = ModelProto.Parser.ParseFrom(node.Model());
        foreach (var input in model.Graph.Input)
        {
            Tensor value = node[input.Name];
            input.Type = Tensors.Type(value.Type, named.GetValueOrDefault(input.Name) ?? [.. value.Shape.Cast<object>()]);
        }
        using var options = new SessionOptions();
        OperatorsLibrary.Register(options);
        using var session = new InferenceSession(model.ToByteArray(), options);
        var inferred = session.OutputMetadata[output];
        Assert.Equal(expected, string.Join(",", inferred.Dimensions.Zip(inferred.SymbolicDimensions, (size, name) => name.Length > 0 ? name : size.ToString())));
    }

    [Fact]
    public void Node_OfALaterVersion_IsRefusedByName()
    {
        RawNodes.Linear().With(NodeAttribute.Int("version", 1)).Run();
        var error = Assert.ThrowsAny<OnnxRuntimeException>(() => RawNodes.Linear().With(NodeAttribute.Int("version", 2)).Run());
        Assert.Contains("version 2 of the operators 'latentmoe'", error.Message);
        Assert.Contains("update liblatentmoe_ops.so", error.Message);
    }
}
