namespace LatentMoE.Training.Reports;

/// <summary>A line of <c>metrics.jsonl</c>: a training step, or an evaluation after one (then only <see cref="ValidationLoss"/> and the first two).</summary>
public sealed record MetricsRow
{
    /// <summary>Optimizer steps taken.</summary>
    public required int Step { get; init; }

    /// <summary>Tokens trained on so far.</summary>
    public required long Tokens { get; init; }

    /// <summary>Nats per token of the step's batch.</summary>
    public double? Loss { get; init; }

    /// <summary>Nats per token of a fixed part of the held-out text.</summary>
    public double? ValidationLoss { get; init; }

    public double? LearningRate { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public double? GradNorm { get; init; }

    public double? TokensPerSecond { get; init; }

    // One number per layer with experts
    public IReadOnlyList<int>? Layers { get; init; }
    public IReadOnlyList<double>? MaxLoad { get; init; }
    public IReadOnlyList<double>? LoadEntropy { get; init; }
    public IReadOnlyList<int>? DeadExperts { get; init; }
}
