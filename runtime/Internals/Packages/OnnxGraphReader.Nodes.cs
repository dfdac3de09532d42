using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

internal sealed partial class OnnxGraphReader
{
    private const uint NodeInput = 1, NodeOutput = 2, NodeName = 3, NodeType = 4, NodeAttribute = 5, NodeDomain = 7;
    private const uint AttributeName = 1, AttributeFloat = 2, AttributeInt = 3, AttributeText = 4, AttributeTensor = 5, AttributeGraph = 6;
    private const uint AttributeFloats = 7, AttributeInts = 8, AttributeTensors = 10, AttributeGraphs = 11;
    private const uint AttributeSparse = 22, AttributeSparses = 23;
    private const uint ValueName = 1, ValueType = 2, TypeTensor = 1, TensorElement = 1, TensorShape = 2, ShapeDim = 1, DimValue = 1;

    private OnnxNode ReadNode()
    {
        var (name, type, domain) = ("", "", "");
        List<string> inputs = [], outputs = [];
        List<OnnxAttribute> attributes = [];
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (NodeInput, Delimited):
                    inputs.Add(input.ReadString());
                    return true;
                case (NodeOutput, Delimited):
                    outputs.Add(input.ReadString());
                    return true;
                case (NodeName, Delimited):
                    name = input.ReadString();
                    return true;
                case (NodeType, Delimited):
                    type = input.ReadString();
                    return true;
                case (NodeAttribute, Delimited):
                    attributes.Add(ReadAttribute());
                    return true;
                case (NodeDomain, Delimited):
                    domain = input.ReadString();
                    return true;
                default:
                    return false;
            }
        });
        return new OnnxNode(name, type, domain, inputs, outputs, attributes);
    }

    private OnnxAttribute ReadAttribute()
    {
        var (name, whole, real, text) = ("", 0L, 0f, "");
        List<long> ints = [];
        List<float> floats = [];
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (AttributeName, Delimited):
                    name = input.ReadString();
                    return true;
                case (AttributeFloat, Fixed32):
                    real = input.ReadFloat();
                    return true;
                case (AttributeInt, Varint):
                    whole = input.ReadInt64();
                    return true;
                case (AttributeText, Delimited):
                    text = input.ReadBytes().ToStringUtf8();
                    return true;
                case (AttributeTensor or AttributeTensors, Delimited):
                    ReadTensor();
                    return true;
                case (AttributeGraph or AttributeGraphs, Delimited):
                    ReadGraph(new Graph());
                    return true;
                case (AttributeFloats, Fixed32):
                    floats.Add(input.ReadFloat());
                    return true;
                case (AttributeFloats, Delimited):
                    Packed(() => floats.Add(input.ReadFloat()));
                    return true;
                case (AttributeInts, Varint):
                    ints.Add(input.ReadInt64());
                    return true;
                case (AttributeInts, Delimited):
                    Packed(() => ints.Add(input.ReadInt64()));
                    return true;
                default:
                    Require(field is not (AttributeSparse or AttributeSparses), $"the attribute {name} has a sparse_tensor, which this runtime does not know.");
                    return false;
            }
        });
        return new OnnxAttribute(name, whole, real, text, ints, floats);
    }

    private OnnxValue ReadValue()
    {
        string name = "";
        var type = TensorElementType.DataTypeMax; // undefined, or no tensor
        List<long>? dims = null;
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (ValueName, Delimited):
                    name = input.ReadString();
                    return true;
                case (ValueType, Delimited):
                    Nested(TypeTensor, ReadTensorType);
                    return true;
                default:
                    return false;
            }
        });
        return new OnnxValue(name, type, dims);

        void ReadTensorType() => Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (TensorElement, Varint):
                    type = (TensorElementType)input.ReadInt32();
                    return true;
                case (TensorShape, Delimited):
                    dims = [];
                    Nested(ShapeDim, () => dims.Add(ReadDim()));
                    return true;
                default:
                    return false;
            }
        });
    }

    private long ReadDim()
    {
        long extent = -1;
        Message((field, wire) =>
        {
            bool known = (field, wire) == (DimValue, Varint);
            extent = known ? input.ReadInt64() : extent;
            return known;
        });
        return extent;
    }

    // A message of which one field matters, itself a message.
    private void Nested(uint wanted, Action read) => Message((field, wire) =>
    {
        bool found = (field, wire) == (wanted, Delimited);
        if (found)
        {
            read();
        }
        return found;
    });

    // Numbers one behind the other, without tags.
    private void Packed(Action read)
    {
        int size = input.ReadLength();
        long end = input.Position + size;
        Require(size >= 0 && end <= _end, $"a list of {size} bytes ends behind the message that holds it, at byte {_end}.");
        while (input.Position < end)
        {
            read();
        }
        Require(input.Position == end, $"a list ends inside a number, at byte {end}.");
    }
}
