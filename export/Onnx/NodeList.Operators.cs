namespace LatentMoE.Export.Onnx;

// ai.onnx 18, in the argument order of its specification.
internal partial class NodeList
{
    public string Add(string a, string b) => Node("Add", [a, b]);

    public string Sub(string a, string b) => Node("Sub", [a, b]);

    public string Mul(string a, string b) => Node("Mul", [a, b]);

    public string Div(string a, string b) => Node("Div", [a, b]);

    public string Max(string a, string b) => Node("Max", [a, b]);

    public string Pow(string a, string b) => Node("Pow", [a, b]);

    public string Sqrt(string a) => Node("Sqrt", [a]);

    public string Sigmoid(string a) => Node("Sigmoid", [a]);

    public string And(string a, string b) => Node("And", [a, b]);

    public string BitwiseAnd(string a, string b) => Node("BitwiseAnd", [a, b]);

    public string ShiftRight(string a, string b) => Node("BitShift", [a, b], NodeAttribute.Text("direction", "RIGHT"));

    public string Equal(string a, string b) => Node("Equal", [a, b]);

    public string Less(string a, string b) => Node("Less", [a, b]);

    public string GreaterOrEqual(string a, string b) => Node("GreaterOrEqual", [a, b]);

    public string LessOrEqual(string a, string b) => Node("LessOrEqual", [a, b]);

    public string Where(string condition, string a, string b) => Node("Where", [condition, a, b]);

    public string MatMul(string a, string b) => Node("MatMul", [a, b]);

    public string Softmax(string x, long axis = -1) => Node("Softmax", [x], NodeAttribute.Int("axis", axis));

    public string Cast(string x, TensorProto.Types.DataType to) => Node("Cast", [x], NodeAttribute.Int("to", (long)to));

    public string Transpose(string x, params long[] perm) => Node("Transpose", [x], NodeAttribute.Ints("perm", perm));

    public string Reshape(string x, string shape) => Node("Reshape", [x, shape]);

    /// <summary>0 keeps an extent, −1 takes what is left.</summary>
    public string Reshape(string x, params long[] shape) => Reshape(x, Ints(shape));

    public string Expand(string x, string shape) => Node("Expand", [x, shape]);

    public string Unsqueeze(string x, params long[] axes) => Node("Unsqueeze", [x, Ints(axes)]);

    public string Squeeze(string x, params long[] axes) => Node("Squeeze", [x, Ints(axes)]);

    public string Concat(long axis, params string[] parts) => Node("Concat", parts, NodeAttribute.Int("axis", axis));

    public string[] Split(string x, long axis, params long[] sizes) =>
        Nodes("Split", sizes.Length, [x, Ints(sizes)], NodeAttribute.Int("axis", axis));

    /// <summary>Elements start to end − 1 of one axis; ends beyond the extent are cut to it, negative ones count from its end.</summary>
    public string Slice(string x, string start, string end, long axis) => Node("Slice", [x, start, end, Ints(axis)]);

    /// <summary>Every <paramref name="step"/>-th element of one axis.</summary>
    public string Every(string x, long start, long step, long axis) =>
        Node("Slice", [x, Ints(start), Ints(long.MaxValue), Ints(axis), Ints(step)]);

    public string Gather(string x, string indices, long axis = 0) => Node("Gather", [x, indices], NodeAttribute.Int("axis", axis));

    public string GatherElements(string x, string indices, long axis) =>
        Node("GatherElements", [x, indices], NodeAttribute.Int("axis", axis));

    public string GatherND(string x, string indices) => Node("GatherND", [x, indices]);

    public string ScatterND(string x, string indices, string updates, bool add = false) =>
        Node("ScatterND", [x, indices, updates], [.. add ? [NodeAttribute.Text("reduction", "add")] : Array.Empty<AttributeProto>()]);

    public string NonZero(string x) => Node("NonZero", [x]);

    /// <summary>The k largest, largest first, equal ones in the order of their indices.</summary>
    public (string Values, string Indices) TopK(string x, long k, long axis)
    {
        string[] results = Nodes("TopK", 2, [x, Ints(k)], NodeAttribute.Int("axis", axis));
        return (results[0], results[1]);
    }

    public string ReduceSum(string x, bool keep, params long[] axes) => Reduce("ReduceSum", x, keep, axes);

    public string ReduceMax(string x, bool keep, params long[] axes) => Reduce("ReduceMax", x, keep, axes);

    public string ReduceMean(string x, bool keep, params long[] axes) => Reduce("ReduceMean", x, keep, axes);

    /// <summary>start, start + 1, … limit − 1; all scalars.</summary>
    public string Range(string start, string limit) => Node("Range", [start, limit, Int(1)]);

    /// <summary>Extents <paramref name="start"/> to <paramref name="end"/> − 1 as an int64 vector.</summary>
    public string Shape(string x, long start, long end) =>
        Node("Shape", [x], NodeAttribute.Int("start", start), NodeAttribute.Int("end", end));

    public string Shape(string x) => Node("Shape", [x]);

    /// <summary>Zeros after the end of one axis; <paramref name="count"/> is an int64 vector of one element.</summary>
    public string PadEnd(string x, string count, long axis) => Node("Pad", [x, Concat(0, Ints(0), count), Float(0), Ints(axis)]);

    /// <summary>Zeros of float16; <paramref name="shape"/> is an int64 vector.</summary>
    public string HalfZeros(string shape) => Node("ConstantOfShape", [shape], NodeAttribute.Tensor("value", Tensors.Of([Half.Zero])));

    private string Reduce(string op, string x, bool keep, long[] axes) =>
        Node(op, axes.Length == 0 ? [x] : [x, Ints(axes)], NodeAttribute.Flag("keepdims", keep));
}
