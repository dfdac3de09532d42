using Google.Protobuf;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Package;
using LatentMoE.Export.Sources;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>A whole model of random weights on disk, and the sessions that run it: with bodies, with the library, or with some of each.</summary>
internal sealed class DecoderModel : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ModelProto model;

    /// <param name="activations">Also the type of the cache, if it is not Float.</param>
    public DecoderModel(ModelConfig config, string precision = "f32", bool halfCache = false, DataType activations = DataType.Float)
    {
        (Config, CacheType) = (config, activations != DataType.Float ? activations : halfCache ? DataType.Float16 : DataType.Float);
        RandomCheckpoint.Write(folder.Path, config, seed: 5, rows: 1, tokens: 1);
        using var tensors = CheckpointTensors.Open(folder.Path);
        var built = DecoderGraph.Build(config, new CheckpointWeights(tensors, config), Precision.Of(precision, config, activations), CacheType, activations);
        new ModelFiles(built).Write(folder.Path, "", progress: null, CancellationToken.None);
        model = built.Model;
        Operators = [.. model.Functions.Select(function => function.Name)];
    }

    public ModelConfig Config { get; }

    public DataType CacheType { get; }

    /// <summary>The names of the operators that the model uses.</summary>
    public IReadOnlyList<string> Operators { get; }

    public Decoder WithBodies() => Open(ModelFiles.Model, _ => { });

    /// <summary>A session on a model from which the bodies of all operators but the disabled are taken: the library must serve them.</summary>
    /// <param name="isa">The path to force, or null for the best.</param>
    public Decoder WithLibrary(string? isa = null, string? disable = null)
    {
        var stripped = model.Clone();
        foreach (var function in model.Functions.Where(function => function.Name != disable))
        {
            stripped.Functions.Remove(function);
        }
        string name = $"without-bodies-but-{disable}.onnx";
        File.WriteAllBytes(folder[name], stripped.ToByteArray());
        return Open(name, options => OperatorsLibrary.Register(options, isa, disable));
    }

    public void Dispose() => folder.Dispose();

    private Decoder Open(string file, Action<SessionOptions> configure)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 2 };
        configure(options);
        return new(new InferenceSession(folder[file], options), Config, CacheType);
    }
}
