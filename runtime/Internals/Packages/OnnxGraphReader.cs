using Google.Protobuf;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>
/// Goes over the messages of an ONNX model (onnx.proto) once, in the order of the file. A message that claims to be longer than what
/// holds it ends the reading, so that nothing is allocated but what the file really holds; weights are passed over.
/// </summary>
internal sealed partial class OnnxGraphReader(CodedInputStream input, long length)
{
    // Wire types (protobuf.dev/programming-guides/encoding) and field numbers.
    private const uint Varint = 0, Delimited = 2, Fixed32 = 5;
    private const uint ModelIrVersion = 1, ModelProducer = 2, ModelGraph = 7, ModelOperatorSet = 8, ModelFunction = 25;
    private const uint SetDomain = 1, SetVersion = 2, FunctionName = 1, FunctionNode = 7, FunctionDomain = 10, FunctionDefault = 11;
    private const uint GraphNode = 1, GraphInitializer = 5, GraphInput = 11, GraphOutput = 12, GraphSparse = 15;
    private const int Deepest = 32;

    private readonly Dictionary<string, long> _sets = [];
    private readonly List<OnnxFunction> _functions = [];
    private readonly Graph _graph = new();
    private long _end = length, _ir;
    private string _producer = "";
    private int _depth;

    /// <exception cref="InvalidDataException">The file is no ONNX model.</exception>
    /// <exception cref="InvalidProtocolBufferException">It is not in protobuf's encoding.</exception>
    public OnnxGraph Read(string path)
    {
        bool any = false;
        Fields((field, wire) =>
        {
            switch (field, wire)
            {
                case (ModelIrVersion, Varint):
                    _ir = input.ReadInt64();
                    return true;
                case (ModelProducer, Delimited):
                    _producer = input.ReadString();
                    return true;
                case (ModelGraph, Delimited): // another one would add to the first, as protobuf merges messages
                    ReadGraph(_graph);
                    return any = true;
                case (ModelOperatorSet, Delimited):
                    ReadOperatorSet();
                    return true;
                case (ModelFunction, Delimited):
                    ReadFunction();
                    return true;
                default:
                    return false;
            }
        });
        Require(any, "there is no graph.");
        return new OnnxGraph
        {
            FilePath = path,
            IrVersion = _ir,
            Producer = _producer,
            OperatorSets = _sets,
            Functions = _functions,
            Nodes = _graph.Nodes,
            Inputs = _graph.Inputs,
            Outputs = _graph.Outputs,
            Initializers = _graph.Initializers,
        };
    }

    private void ReadOperatorSet()
    {
        var (domain, version) = ("", 0L);
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (SetDomain, Delimited):
                    domain = input.ReadString();
                    return true;
                case (SetVersion, Varint):
                    version = input.ReadInt64();
                    return true;
                default:
                    return false;
            }
        });
        _sets[domain] = version;
    }

    // Its nodes and the defaults of its attributes are read for what they may refer to, not kept.
    private void ReadFunction()
    {
        var (domain, name) = ("", "");
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (FunctionName, Delimited):
                    name = input.ReadString();
                    return true;
                case (FunctionNode, Delimited):
                    ReadNode();
                    return true;
                case (FunctionDefault, Delimited):
                    ReadAttribute();
                    return true;
                case (FunctionDomain, Delimited):
                    domain = input.ReadString();
                    return true;
                default:
                    return false;
            }
        });
        _functions.Add(new OnnxFunction(domain, name));
    }

    private void ReadGraph(Graph graph) => Message((field, wire) =>
    {
        switch (field, wire)
        {
            case (GraphNode, Delimited):
                graph.Nodes.Add(ReadNode());
                return true;
            case (GraphInitializer, Delimited):
                var tensor = ReadTensor();
                Require(graph.Initializers.TryAdd(tensor.Name, tensor), $"the initializer {tensor.Name} is there twice.");
                return true;
            case (GraphInput, Delimited):
                graph.Inputs.Add(ReadValue());
                return true;
            case (GraphOutput, Delimited):
                graph.Outputs.Add(ReadValue());
                return true;
            default:
                Require(field != GraphSparse, "the graph has a sparse_initializer, which this runtime does not know.");
                return false;
        }
    });

    // A message that stands where the input is: its length, then its fields.
    private void Message(Func<uint, uint, bool> take)
    {
        int size = input.ReadLength();
        long end = input.Position + size, outer = _end;
        Require(size >= 0 && end <= outer, $"a message of {size} bytes ends behind what holds it, at byte {outer}.");
        Require(++_depth <= Deepest, $"messages lie more than {Deepest} deep.");
        _end = end;
        Fields(take);
        _end = outer;
        _depth--;
    }

    // What the callback does not take is skipped.
    private void Fields(Func<uint, uint, bool> take)
    {
        while (input.Position < _end)
        {
            uint tag = input.ReadTag();
            if (!take(tag >> 3, tag & 7))
            {
                input.SkipLastField();
            }
            Require(input.Position <= _end, $"a field ends behind the message that holds it, at byte {_end}.");
        }
    }

    private static void Require(bool ok, string problem)
    {
        if (!ok)
        {
            throw new InvalidDataException(problem);
        }
    }

    private sealed class Graph
    {
        public List<OnnxNode> Nodes { get; } = [];
        public List<OnnxValue> Inputs { get; } = [];
        public List<OnnxValue> Outputs { get; } = [];
        public Dictionary<string, OnnxTensor> Initializers { get; } = [];
    }
}
