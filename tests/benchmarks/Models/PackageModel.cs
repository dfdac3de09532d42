using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Models;

/// <summary>A package's graph without its weights: all that the benchmark needs to know of a model is read from there.</summary>
internal sealed class PackageModel
{
    private const string FileName = "model.onnx", Past = "past_key_values.";

    private PackageModel(string folder, ModelProto proto)
    {
        (Folder, Proto) = (folder, proto);
        Initializers = proto.Graph.Initializer.ToDictionary(tensor => tensor.Name);
        var key = Input("past_key_values.0.key");
        var shape = key.Type.TensorType.Shape.Dim; // (B, heads, tokens, width)
        (Heads, Width) = ((int)shape[1].DimValue, (int)shape[3].DimValue);
        CacheType = (TensorElementType)key.Type.TensorType.ElemType;
        Layers = proto.Graph.Input.Count(input => input.Name.StartsWith(Past, StringComparison.Ordinal)) / 2;
        var logits = proto.Graph.Output.Single(output => output.Name == "logits").Type.TensorType;
        (Vocabulary, LogitsType) = ((int)logits.Shape.Dim[^1].DimValue, (TensorElementType)logits.ElemType);
        if (Heads < 1 || Width < 1 || Vocabulary < 1
            || CacheType is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.BFloat16))
        {
            throw new CheckpointException($"{Path}: the cache has {Heads} heads of {Width} {CacheType} and the vocabulary {Vocabulary} "
                + "tokens; expected a float, float16 or bfloat16 cache and fixed widths, as Export writes them.");
        }
    }

    public string Folder { get; }
    public string Path => System.IO.Path.Combine(Folder, FileName);
    public ModelProto Proto { get; }
    public IReadOnlyDictionary<string, TensorProto> Initializers { get; }
    public int Layers { get; }
    public int Heads { get; }
    public int Width { get; }
    public int Vocabulary { get; }
    public TensorElementType CacheType { get; }
    public TensorElementType LogitsType { get; }

    public int CacheElementBytes => CacheType == TensorElementType.Float ? sizeof(float) : sizeof(ushort);

    /// <summary>The cache's type, as the export calls it.</summary>
    public string Cache => CacheType switch { TensorElementType.Float => "f32", TensorElementType.Float16 => "f16", _ => "bf16" };

    /// <summary>The type between operators, as the export calls it: that of the logits, but that those of bfloat16 leave as float32.</summary>
    public string Activations => CacheType == TensorElementType.BFloat16 ? Cache : LogitsType == TensorElementType.Float16 ? "f16" : "f32";

    /// <summary>Bytes of all weights.</summary>
    public long WeightBytes => new FileInfo(Path + ".data").Length;

    /// <summary>Bytes that a token takes in the cache, over all layers.</summary>
    public long CacheBytesPerToken => 2L * Layers * Heads * Width * CacheElementBytes;

    /// <summary>Names of the cache's inputs and outputs: key and value of every layer.</summary>
    public IEnumerable<(string Past, string Present)> CacheNames => Enumerable.Range(0, Layers)
        .SelectMany(layer => new[] { "key", "value" }.Select(half => ($"{Past}{layer}.{half}", $"present.{layer}.{half}")));

    /// <exception cref="CheckpointException">The folder holds no model, or one that is no decoder of this pipeline.</exception>
    public static PackageModel Load(string folder)
    {
        string path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: no such file; --model wants the folder of a package.");
        }
        try
        {
            return new PackageModel(System.IO.Path.GetFullPath(folder), ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)));
        }
        catch (Google.Protobuf.InvalidProtocolBufferException e)
        {
            throw new CheckpointException($"{path}: not an ONNX model: {e.Message}", e);
        }
    }

    private ValueInfoProto Input(string name) => Proto.Graph.Input.FirstOrDefault(input => input.Name == name)
        ?? throw new CheckpointException($"{Path}: there is no input {name}; expected a decoder as Export writes it.");
}
