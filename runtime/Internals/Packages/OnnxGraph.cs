using Google.Protobuf;
using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>A tensor that goes into a graph or comes out of it. An extent that the file leaves open is −1.</summary>
/// <param name="Dims">Null where the file gives no shape.</param>
internal sealed record OnnxValue(string Name, TensorElementType Type, IReadOnlyList<long>? Dims);

/// <summary>An attribute; of its values only the one of its type is set.</summary>
internal sealed record OnnxAttribute(string Name, long Int, float Float, string Text, IReadOnlyList<long> Ints, IReadOnlyList<float> Floats);

/// <param name="Domain">Empty for ONNX's own operators.</param>
internal sealed record OnnxNode(
    string Name, string Type, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<OnnxAttribute> Attributes)
{
    public OnnxAttribute? Find(string attribute) => Attributes.FirstOrDefault(a => a.Name == attribute);
}

/// <summary>Where a tensor's bytes lie in a file beside the model.</summary>
/// <param name="File">A name without a folder.</param>
/// <param name="Length">Null where the model leaves it to the tensor's shape.</param>
internal sealed record OnnxExternalData(string File, long Offset, long? Length);

/// <summary>A constant of the graph, without its numbers.</summary>
/// <param name="Elements">The product of <paramref name="Dims"/>.</param>
/// <param name="External">Null where the bytes are in the model itself.</param>
/// <param name="InlineBytes">Bytes in the model itself.</param>
internal sealed record OnnxTensor(
    string Name, TensorElementType Type, IReadOnlyList<long> Dims, long Elements, OnnxExternalData? External, long InlineBytes);

internal sealed record OnnxFunction(string Domain, string Name);

/// <summary>
/// What an ONNX model says of itself, read without its weights and without ONNX Runtime. No size in the file is trusted, and every file
/// that it refers to is one of its own folder: a reader may rely on both.
/// </summary>
internal sealed partial record OnnxGraph
{
    public required string FilePath { get; init; }
    public required long IrVersion { get; init; }
    public required string Producer { get; init; }
    public required IReadOnlyDictionary<string, long> OperatorSets { get; init; }
    public required IReadOnlyList<OnnxFunction> Functions { get; init; }
    public required IReadOnlyList<OnnxNode> Nodes { get; init; }
    public required IReadOnlyList<OnnxValue> Inputs { get; init; }
    public required IReadOnlyList<OnnxValue> Outputs { get; init; }
    public required IReadOnlyDictionary<string, OnnxTensor> Initializers { get; init; }

    /// <exception cref="CheckpointException">The file is missing, no ONNX model, or refers to files elsewhere; the message says at which byte.</exception>
    public static OnnxGraph Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var input = new CodedInputStream(file);
            var reader = new OnnxGraphReader(input, file.Length);
            try
            {
                return reader.Read(path);
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
            {
                throw new CheckpointException($"{path}: byte {input.Position}: {e.Message} Expected an ONNX model: copy the package again, or export it again.", e);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Checks that the files with the weights are there and long enough.</summary>
    /// <exception cref="CheckpointException">One is missing, or ends before a tensor does.</exception>
    public void RequireWeights()
    {
        foreach (var file in Initializers.Values.Where(tensor => tensor.External is not null).GroupBy(tensor => tensor.External!.File))
        {
            var found = new FileInfo(Path.Combine(Path.GetDirectoryName(FilePath)!, file.Key));
            var last = file.MaxBy(End)!;
            if (!found.Exists || found.Length < End(last))
            {
                string problem = found.Exists ? $"has {found.Length} bytes" : "is missing";
                throw new CheckpointException($"{FilePath}: the weights of {last.Name} end at byte {End(last)} of {file.Key}, which {problem}. "
                    + "The package is damaged: copy it again, or export it again.");
            }
        }

        static Int128 End(OnnxTensor tensor) => (Int128)tensor.External!.Offset
            + (tensor.External.Length ?? (Int128)tensor.Elements * GraphSize.ElementBytes(tensor.Type) / GraphSize.PerByte(tensor.Type));
    }

    /// <summary>The routed experts; null where there are none.</summary>
    /// <exception cref="CheckpointException">A router lacks its attribute or weight, or differs from the first.</exception>
    public ExpertShape? Experts()
    {
        ExpertShape? shape = null;
        foreach (var router in Routers)
        {
            var gate = Weight(router, 1); // [E, d]
            var (experts, chosen) = (gate.Dims.Count > 0 ? gate.Dims[0] : 0, Int(router, "top_k"));
            bool alike = shape is null || (shape.Experts == experts && shape.TopK == chosen);
            if (!alike || experts > int.MaxValue || chosen < 1 || chosen > experts)
            {
                string expected = shape is null ? "at least one, and no more than there are" : $"{shape.TopK} of {shape.Experts}, as in the first layer";
                throw Wrong(router, $"chooses {chosen} of {experts} experts; expected {expected}");
            }
            shape = new ExpertShape((shape?.Layers ?? 0) + 1, (int)experts, (int)chosen);
        }
        return shape;
    }

    /// <summary>The nodes that choose experts, in the order of the layers; their first output are the experts' ids, int32 [tokens, top_k].</summary>
    public IEnumerable<OnnxNode> Routers => Nodes.Where(node => node is { Domain: OperatorLibrary.Domain, Type: "MoERouter" });

    /// <exception cref="CheckpointException">There is none of that name.</exception>
    public OnnxValue Input(string name) => Inputs.FirstOrDefault(value => value.Name == name)
        ?? throw new CheckpointException($"{FilePath}: the graph has no input {name}. Export the package again.");

    /// <inheritdoc cref="Input"/>
    public OnnxValue Output(string name) => Outputs.FirstOrDefault(value => value.Name == name)
        ?? throw new CheckpointException($"{FilePath}: the graph has no output {name}. Export the package again.");

    /// <summary>The initializer that a node takes as an input.</summary>
    public OnnxTensor Weight(OnnxNode node, int input) =>
        input < node.Inputs.Count && Initializers.TryGetValue(node.Inputs[input], out var tensor) ? tensor
            : throw Wrong(node, $"has no weight as input {input}");

    /// <summary>The whole number that an attribute of a node holds.</summary>
    public long Int(OnnxNode node, string attribute) => node.Find(attribute)?.Int ?? throw Wrong(node, $"has no attribute {attribute}");

    public CheckpointException Wrong(OnnxNode node, string problem) =>
        new($"{FilePath}: the node {node.Name} ({node.Type}) {problem}. Export the package again.");
}
