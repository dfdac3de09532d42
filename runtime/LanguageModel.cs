using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;

namespace LatentMoE.Runtime;

/// <summary>
/// A model package, loaded: text in, text out. Safe for use from many threads; up to
/// <see cref="LanguageModelOptions.MaxConcurrency"/> generations run side by side, each on its own cache, and give what
/// they would give alone.
/// </summary>
public sealed partial class LanguageModel : IDisposable
{
    private readonly ModelPackage _package;
    private readonly SessionPool _pool;
    private readonly OnnxGraph _graph;
    private readonly SessionFactory _sessions;

    private LanguageModel(ModelPackage package, OnnxGraph graph, SessionFactory sessions, SessionPool pool)
    {
        (_package, _pool, _graph, _sessions, Experts, Memory) = (package, pool, graph, sessions, graph.Experts(), CacheSize.Report(graph, package.Config, pool.Graph.ContextLength));
    }

    internal ModelPackage Package => _package;

    internal SessionPool Pool => _pool;

    /// <summary>Whether the native operators run, and not their bodies.</summary>
    internal bool UsesLibrary => _sessions.UsesLibrary;

    /// <summary>A graph that also gives its routers' choices, and their names in the order of the layers; the caller's to dispose of.</summary>
    internal (DecoderGraph Graph, IReadOnlyList<string> Routers) OpenTracking() =>
        (_sessions.CreateTracking(Device, _graph), [.. _graph.Routers.Select(router => router.Outputs[0])]);

    /// <summary>The package's folder.</summary>
    public string Folder => _package.Folder;

    /// <summary>The folder's name, by which servers know the model.</summary>
    public string Name => Path.GetFileName(Folder);

    /// <summary>The routed experts of the package's graph; null where it has none.</summary>
    public ExpertShape? Experts { get; }

    /// <summary>Where its memory goes, at <see cref="ContextLength"/>.</summary>
    public MemoryReport Memory { get; }

    /// <summary>Where it runs: never <see cref="Device.Auto"/>.</summary>
    public Device Device => _pool.Graph.Device;

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength => _pool.Graph.ContextLength;

    /// <summary>Logits of a step: ids are below it.</summary>
    public int VocabularySize => _pool.Graph.Vocabulary;

    /// <summary>Loads a package folder as the Export target writes it.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged; the message names it and the remedy.</exception>
    /// <exception cref="NotSupportedException">The asked-for device cannot be used.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not linux-x64.</exception>
    public static LanguageModel Load(string packageFolder, LanguageModelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(packageFolder);
        options ??= new LanguageModelOptions();
        options.Validate();
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new PlatformNotSupportedException($"LatentMoE runs on linux-x64 today; this process is {RuntimeInformation.RuntimeIdentifier}.");
        }
        var package = ModelPackage.Open(packageFolder);
        var graph = OnnxGraph.Read(package.ModelPath);
        graph.RequireWeights();
        var sessions = new SessionFactory(package, options);
        var pool = sessions.Create();
        try
        {
            return new LanguageModel(package, graph, sessions, pool);
        }
        catch
        {
            pool.Dispose();
            throw;
        }
    }

    /// <summary>The ids of a text, special tokens inside it recognised; nothing is prepended.</summary>
    public int[] Encode(string text) => _package.Tokenizer.Encode(text);

    /// <summary>The text of ids. Special tokens, and ids of the model that its tokenizer does not use, stand for none.</summary>
    public string Decode(IEnumerable<int> tokenIds) =>
        _package.Tokenizer.Decode(tokenIds.Where(id => id < _package.Tokenizer.VocabularySize || id >= VocabularySize));

    /// <summary>The bytes that a token stands for: perhaps part of a character; none for special tokens and ids without a token.</summary>
    public ReadOnlySpan<byte> TokenBytes(int tokenId) => _package.Tokenizer.TryGetBytes(tokenId, out var bytes) ? bytes : [];

    /// <summary>Frees the model, once the generations under way have ended.</summary>
    public void Dispose() => _pool.Dispose();
}
