using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime;

/// <summary>What a package says of itself, read from its files without running anything or reading weights.</summary>
public sealed record PackageInfo
{
    private PackageInfo()
    {
    }

    /// <summary>The package's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>All weights; a tied head counts once.</summary>
    public required long Parameters { get; init; }

    /// <summary>Weights that one token multiplies: the chosen and shared experts, all linear layers, the head; not an untied embedding.</summary>
    public required long ActiveParameters { get; init; }

    /// <summary>Two for each active weight of a matrix product, with an empty cache.</summary>
    public required long FlopsPerToken { get; init; }

    public required int Layers { get; init; }

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public required int ContextLength { get; init; }

    public required int VocabularySize { get; init; }

    /// <summary>The routed experts; null where there are none.</summary>
    public required ExpertShape? Experts { get; init; }

    /// <summary>Where its memory goes.</summary>
    public required MemoryReport Memory { get; init; }

    /// <summary>The format of the linear layers: f32, f16, bf16, int8 or int4; null where there are none that this runtime knows.</summary>
    public required string? Precision { get; init; }

    /// <summary>The type between operators: f32, f16 or bf16.</summary>
    public required string Activations { get; init; }

    /// <summary>The type of the cache: f32, f16 or bf16.</summary>
    public required string Cache { get; init; }

    /// <summary>The version of ONNX's file format.</summary>
    public required long IrVersion { get; init; }

    /// <summary>The program that wrote the model.</summary>
    public required string Producer { get; init; }

    /// <summary>Versions of the operator sets by domain; ONNX's own is "ai.onnx".</summary>
    public required IReadOnlyDictionary<string, long> OperatorSets { get; init; }

    /// <summary>How many nodes of each operator the graph has, by name with the domain of those that are not ONNX's.</summary>
    public required IReadOnlyDictionary<string, int> Operators { get; init; }

    /// <summary>Operators that carry a body of standard operators in the model.</summary>
    public required IReadOnlyList<string> Bodies { get; init; }

    /// <summary>The operator library that <see cref="LanguageModel.Load"/> would register; null where it finds none.</summary>
    public required string? OperatorLibrary { get; init; }

    /// <exception cref="CheckpointException">A file is missing or damaged; the message names it and the remedy.</exception>
    public static PackageInfo Read(string packageFolder, LanguageModelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(packageFolder);
        var package = ModelPackage.Open(packageFolder);
        var (config, graph) = (package.Config, OnnxGraph.Read(package.ModelPath));
        graph.RequireWeights();
        var experts = graph.Experts();
        var size = GraphSize.Of(graph, CacheSize.Numbers(config));
        string cache = Name(CacheSize.TypeOf(graph, config)), logits = Name(graph.Output(config.Logits).Type);
        return new PackageInfo
        {
            Folder = package.Folder,
            Parameters = size.TotalParameters,
            ActiveParameters = size.ActiveParameters,
            FlopsPerToken = size.FlopsPerToken,
            Layers = config.Layers,
            ContextLength = config.ContextLength,
            VocabularySize = config.VocabularySize,
            Experts = experts,
            Memory = CacheSize.Report(graph, config, config.ContextLength),
            Precision = PrecisionOf(graph),
            Activations = cache == "bf16" ? cache : logits, // the logits of bfloat16 leave as float32
            Cache = cache,
            IrVersion = graph.IrVersion,
            Producer = graph.Producer,
            OperatorSets = graph.OperatorSets.ToDictionary(set => set.Key.Length == 0 ? "ai.onnx" : set.Key, set => set.Value),
            Operators = graph.Nodes.CountBy(node => Name(node.Domain, node.Type)).ToDictionary(),
            Bodies = [.. graph.Functions.Select(function => Name(function.Domain, function.Name))],
            OperatorLibrary = Internals.Sessions.OperatorLibrary.Find(options ?? new LanguageModelOptions()),
        };
    }

    /// <summary>Compares every file of a package with its manifest, which takes reading them all. A package without one has only unlisted files.</summary>
    /// <exception cref="CheckpointException">The manifest is damaged.</exception>
    public static IEnumerable<PackageFile> CheckFiles(string packageFolder, CancellationToken cancellationToken = default) =>
        ManifestCheck.Check(packageFolder, cancellationToken);

    private static string? PrecisionOf(OnnxGraph graph)
    {
        var linear = graph.Nodes.FirstOrDefault(node => node.Type.StartsWith("Linear", StringComparison.Ordinal));
        return linear?.Type switch { null => null, "LinearInt8" => "int8", "LinearInt4" => "int4", _ => Name(graph.Weight(linear, 1).Type) };
    }

    private static string Name(string domain, string type) => domain.Length == 0 ? type : $"{domain}.{type}";

    private static string Name(TensorElementType type) => type switch
    {
        TensorElementType.Float => "f32",
        TensorElementType.Float16 => "f16",
        TensorElementType.BFloat16 => "bf16",
        _ => type.ToString(),
    };
}
