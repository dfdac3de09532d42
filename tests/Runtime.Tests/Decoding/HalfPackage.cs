using Google.Protobuf;
using LatentMoE.Export.Onnx;
using LatentMoE.Tests.Support;
using DataType = LatentMoE.Export.Onnx.TensorProto.Types.DataType;

namespace LatentMoE.Runtime.Tests.Decoding;

/// <summary>A float32 package whose cache and logits are float16 at the graph's border: casts go around every such input and output.</summary>
internal static class HalfPackage
{
    public static void Convert(TemporaryFolder folder)
    {
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["model.onnx"]));
        var graph = model.Graph;
        var inner = graph.Node.ToArray();
        foreach (var input in graph.Input.Where(input => input.Name.StartsWith("past_key_values", StringComparison.Ordinal)))
        {
            Rename(input, name => inner.ToList().ForEach(node => Replace(node.Input, name)));
            graph.Node.Insert(0, Cast(input.Name, input.Name + "/wide", DataType.Float));
        }
        foreach (var output in graph.Output)
        {
            Rename(output, name => inner.ToList().ForEach(node => Replace(node.Output, name)));
            graph.Node.Add(Cast(output.Name + "/wide", output.Name, DataType.Float16));
        }
        File.WriteAllBytes(folder["model.onnx"], model.ToByteArray());
    }

    private static void Rename(ValueInfoProto value, Action<string> inside)
    {
        value.Type.TensorType.ElemType = (int)DataType.Float16;
        inside(value.Name);
    }

    private static void Replace(IList<string> names, string name)
    {
        for (int i = 0; i < names.Count; i++)
        {
            names[i] = names[i] == name ? name + "/wide" : names[i];
        }
    }

    private static NodeProto Cast(string from, string to, DataType type)
    {
        var node = new NodeProto { OpType = "Cast", Name = $"{to}/cast" };
        node.Input.Add(from);
        node.Output.Add(to);
        node.Attribute.Add(new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (long)type });
        return node;
    }
}
