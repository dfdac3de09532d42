using LatentMoE.Checkpoints;
using LatentMoE.Export.Package;

namespace LatentMoE.Export.Sources;

/// <summary>Where a package's model comes from.</summary>
internal abstract class ModelSource : IDisposable
{
    /// <summary>Named in errors about reading.</summary>
    public abstract string Origin { get; }

    public abstract ModelConfig Config { get; }

    public abstract IWeightSource Weights { get; }

    /// <summary>The checkpoint's folder; null for a model without one.</summary>
    public abstract string? Checkpoint { get; }

    /// <summary>What random weights were made from; null for those of a checkpoint.</summary>
    public abstract RandomModel? Random { get; }

    /// <summary>What was read of a checkpoint; null for a model without one.</summary>
    public abstract CheckpointSummary? Summary { get; }

    /// <exception cref="CheckpointException">The options name no source or two, or one that cannot be used.</exception>
    public static ModelSource Open(ExportOptions options) => options switch
    {
        { Checkpoint: string folder, Random: null } => new CheckpointSource(folder),
        { Checkpoint: null, Random: RandomModel random } => new RandomSource(random),
        _ => throw new CheckpointException("a package is made of a checkpoint or of random weights: give --checkpoint, or --random-weights."),
    };

    /// <summary>Puts the configuration and the tokenizer into a package.</summary>
    public abstract TokenizerFiles WriteTokenizer(string package);

    public abstract void Dispose();
}
