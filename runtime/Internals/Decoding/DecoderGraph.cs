using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Packages;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>
/// A loaded graph and what it says of itself: names, element types and the cache's shape, checked against
/// <c>genai_config.json</c>. Latent models and the multi-head twins look the same from here.
/// </summary>
internal sealed class DecoderGraph : IDisposable
{
    public const string KeepName = "num_logits_to_keep";

    // While one session's step is captured as a CUDA graph, nothing else may talk to the device.
    private static readonly Lock OneAtATime = new();
    private readonly bool _onDevice;

    /// <exception cref="CheckpointException">The graph lacks an input or output, or has another shape than its configuration says.</exception>
    /// <param name="captures">Whether steps are captured as CUDA graphs.</param>
    /// <param name="selection">Chooses tokens where the logits are (<see cref="SelectionModel"/>); null where the host does. Owned by the graph.</param>
    public DecoderGraph(
        InferenceSession session, ModelPackage package, Device device, LanguageModelOptions options, bool captures = false, InferenceSession? selection = null)
    {
        (Session, Package, Device, PrefillChunk, Captures, Selection) = (session, package, device, options.PrefillChunk, captures, selection);
        _onDevice = device == Device.Cuda;
        var config = package.Config;
        Need(Input(config.InputIds), config.InputIds, TensorElementType.Int64);
        Need(Input(config.AttentionMask), config.AttentionMask, TensorElementType.Int64);
        Need(Input(config.PositionIds), config.PositionIds, TensorElementType.Int64);
        if (!session.OverridableInitializerMetadata.ContainsKey(KeepName))
        {
            throw Wrong($"has no input {KeepName}");
        }
        var logits = Output(config.Logits);
        LogitsType = FloatType(logits, config.Logits);
        Vocabulary = logits.Dimensions[^1];
        int tokens = package.Tokenizer.VocabularySize;
        Require(Vocabulary >= tokens, config.Logits, $"holds {Vocabulary} logits; expected at least the tokenizer's {tokens}");
        CacheType = CacheFloat(Input(Past(0).Key), Past(0).Key);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            CheckCache(Input(Past(layer).Key), Past(layer).Key);
            CheckCache(Input(Past(layer).Value), Past(layer).Value);
            CheckCache(Output(Present(layer).Key), Present(layer).Key);
            CheckCache(Output(Present(layer).Value), Present(layer).Value);
        }
        int layers = session.InputMetadata.Keys.Count(name => name.StartsWith(config.PastKey.Split("%d")[0], StringComparison.Ordinal)) / 2;
        Require(layers == config.Layers, config.PastKey, $"exists for {layers} layers; expected {config.Layers}");
        ContextLength = Math.Min(options.ContextLength ?? config.ContextLength, config.ContextLength);
        CacheHalfBytes = CheckMemory();
        Memory = new DeviceMemory(session, _onDevice && !options.PretendDevice);
    }

    public InferenceSession Session { get; }
    public ModelPackage Package { get; }
    public Device Device { get; }
    public DeviceMemory Memory { get; }
    public bool Captures { get; }
    public InferenceSession? Selection { get; }
    public int PrefillChunk { get; }
    public int ContextLength { get; }
    public int Vocabulary { get; }
    public TensorElementType LogitsType { get; }
    public TensorElementType CacheType { get; }

    /// <summary>Bytes of one layer's keys, and of its values, for the whole context.</summary>
    public long CacheHalfBytes { get; }

    public int Layers => Package.Config.Layers;
    public int KeyValueHeads => Package.Config.KeyValueHeads;
    public int HeadSize => Package.Config.HeadSize;

    public (string Key, string Value) Past(int layer) =>
        (GenAIConfig.OfLayer(Package.Config.PastKey, layer), GenAIConfig.OfLayer(Package.Config.PastValue, layer));

    public (string Key, string Value) Present(int layer) =>
        (GenAIConfig.OfLayer(Package.Config.PresentKey, layer), GenAIConfig.OfLayer(Package.Config.PresentValue, layer));

    /// <summary>Waits for the device, which serves one caller at a time; the CPU serves all of them.</summary>
    public Turn Take() => new(_onDevice ? OneAtATime : null);

    public void Dispose()
    {
        Memory.Dispose();
        Selection?.Dispose();
        Session.Dispose();
    }

    /// <summary>The device is this caller's until it is disposed of, on the same thread.</summary>
    public readonly ref struct Turn
    {
        private readonly Lock? _lock;

        public Turn(Lock? gate)
        {
            _lock = gate;
            _lock?.Enter();
        }

        public void Dispose() => _lock?.Exit();
    }

    private NodeMetadata Input(string name) =>
        Session.InputMetadata.TryGetValue(name, out var node) ? node : throw Wrong($"has no input {name}");

    private NodeMetadata Output(string name) =>
        Session.OutputMetadata.TryGetValue(name, out var node) ? node : throw Wrong($"has no output {name}");

    // [batch, heads, tokens, width], -1 where the graph leaves a dimension open
    private void CheckCache(NodeMetadata node, string name)
    {
        Need(node, name, CacheType);
        int[] shape = node.Dimensions;
        bool fits = shape.Length == 4 && (shape[1] < 0 || shape[1] == KeyValueHeads) && (shape[3] < 0 || shape[3] == HeadSize);
        Require(fits, name, $"has shape [{string.Join(", ", shape)}]; expected [batch, {KeyValueHeads}, tokens, {HeadSize}]");
    }

    // A buffer's size must fit a span, and all of them this machine's memory; a device says itself what fits.
    private long CheckMemory()
    {
        var bytes = (Int128)KeyValueHeads * HeadSize * ContextLength * (CacheType == TensorElementType.Float ? sizeof(float) : 2);
        var total = 2 * bytes * Layers;
        bool fits = bytes <= int.MaxValue && (Device != Device.Cpu || total <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return fits ? (long)bytes : throw Package.WrongContext(
            $"for {ContextLength} tokens the cache would take {total} bytes, {bytes} in one buffer, more than there can be");
    }

    private TensorElementType FloatType(NodeMetadata node, string name)
    {
        var type = node.ElementDataType;
        Require(type is TensorElementType.Float or TensorElementType.Float16, name, $"is {type}; expected Float or Float16");
        return type;
    }

    private TensorElementType CacheFloat(NodeMetadata node, string name) =>
        node.ElementDataType == TensorElementType.BFloat16 ? TensorElementType.BFloat16 : FloatType(node, name);

    private void Need(NodeMetadata node, string name, TensorElementType type) =>
        Require(node.ElementDataType == type, name, $"is {node.ElementDataType}; expected {type}");

    private void Require(bool ok, string name, string problem)
    {
        if (!ok)
        {
            throw Wrong($"{name} {problem}");
        }
    }

    private CheckpointException Wrong(string problem) => new(
        $"{Package.ModelPath}: the graph {problem}, as {GenAIConfig.FileName} or this runtime asks. " +
        "The files belong to different exports: export the package again.");
}
