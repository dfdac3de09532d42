using LatentMoE.Checkpoints;
using LatentMoE.Export.Package;

namespace LatentMoE.Export.Sources;

/// <summary>A Hugging Face checkpoint folder, checked as a whole when it is opened.</summary>
internal sealed class CheckpointSource : ModelSource
{
    private readonly string folder;
    private readonly TokenizerFiles tokenizer;
    private readonly CheckpointTensors tensors;

    public CheckpointSource(string folder)
    {
        this.folder = folder;
        var config = CheckpointConfig.Load(folder);
        Config = config.Model;
        tokenizer = TokenizerFiles.Load(folder, Config);
        tensors = CheckpointTensors.Open(folder, config);
        try
        {
            var weights = new CheckpointWeights(tensors, Config);
            Weights = weights;
            Summary = new()
            {
                Config = Config,
                Files = tensors.Files,
                Types = weights.Types,
                Dequantised = weights.Dequantised,
                Quantization = config.Quantization,
                IgnoredKeys = config.IgnoredKeys,
                SkippedTensors = weights.Skipped,
            };
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    public override string Origin => folder;
    public override ModelConfig Config { get; }
    public override IWeightSource Weights { get; }
    public override string? Checkpoint => folder;
    public override RandomModel? Random => null;
    public override CheckpointSummary Summary { get; }

    public override TokenizerFiles WriteTokenizer(string package)
    {
        tokenizer.CopyTo(package);
        return tokenizer;
    }

    public override void Dispose() => tensors.Dispose();
}
