using System.Text.Json.Serialization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Trainer;

/// <summary>How a model is trained. In presets: the object <c>training</c>, keys in snake case.</summary>
public sealed record TrainingRecipe
{
    // Logits of a micro-batch alone would take more memory than any machine has, and their count would overflow.
    private const int MaxMicroBatchTokens = 1 << 24;

    // Data of one optimizer step: batch · accumulation windows of `sequence` tokens
    public int Batch { get; init; } = 8;
    public int Accumulation { get; init; } = 1;
    public int Sequence { get; init; } = 256;

    // Length: steps, or minutes, from which the first steps' speed makes steps
    public int Steps { get; init; } = 1000;
    public double? Minutes { get; init; }

    // Learning rate: linear warm-up, then a cosine down to a share of the peak
    public double LearningRate { get; init; } = 3e-4;
    public double MinLearningRateRatio { get; init; } = 0.1;
    public int WarmupSteps { get; init; } = 100;

    // AdamW; decay on matrices only
    public double Beta1 { get; init; } = 0.9;
    public double Beta2 { get; init; } = 0.95;
    public double WeightDecay { get; init; } = 0.1;
    public double Clip { get; init; } = 1.0;

    // Regularisation and balance
    public double Dropout { get; init; }
    public double BiasUpdateRate { get; init; } = 0.001;

    /// <summary>Steps between evaluations (and saves); 0 means a tenth of the run.</summary>
    public int EvalInterval { get; init; }

    public long Seed { get; init; } = 1;

    /// <summary><c>auto</c>, <c>float32</c> or <c>bf16</c>: see <see cref="ComputeDevice"/>.</summary>
    public string Dtype { get; init; } = "auto";

    /// <summary>Keeps only the layers' inputs for the backward pass, which computes each layer again: less memory, a third more work.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool GradientCheckpointing { get; init; }

    public int TokensPerStep => Batch * Accumulation * Sequence;

    /// <summary>This recipe, if it can be run; <paramref name="origin"/> names the file in the error.</summary>
    /// <exception cref="CheckpointException">A value is out of its range.</exception>
    public TrainingRecipe Validated(string origin, int maxPositions)
    {
        void Need(bool ok, string key, object value, string expected)
        {
            if (!ok)
            {
                throw new CheckpointException($"{origin}: training.{key} is {value}; expected {expected}.");
            }
        }
        Need(Batch > 0, "batch", Batch, "at least 1");
        Need((long)Batch * Sequence <= MaxMicroBatchTokens, "batch", Batch,
            $"at most {MaxMicroBatchTokens / Math.Max(1, Sequence)} windows of {Sequence} tokens; for larger steps raise training.accumulation");
        Need(Accumulation > 0, "accumulation", Accumulation, "at least 1");
        Need(Sequence > 0 && Sequence <= maxPositions, "sequence", Sequence, $"1 to max_position_embeddings ({maxPositions})");
        Need((long)Batch * Accumulation * Sequence <= int.MaxValue, "accumulation", Accumulation, $"at most {int.MaxValue} tokens a step");
        Need(Steps > 0, "steps", Steps, "at least 1");
        Need(Minutes is null or (> 0 and < 1e6), "minutes", Minutes ?? 0, "more than 0");
        Need(LearningRate is > 0 and < 1, "learning_rate", LearningRate, "more than 0 and less than 1");
        Need(MinLearningRateRatio is >= 0 and <= 1, "min_learning_rate_ratio", MinLearningRateRatio, "0 to 1");
        Need(WarmupSteps >= (Minutes is null ? 0 : StepPlan.MinWarmupSteps), "warmup_steps", WarmupSteps,
            Minutes is null ? "0 or more" : $"at least {StepPlan.MinWarmupSteps}, whose speed makes steps of minutes");
        Need(Beta1 is >= 0 and < 1, "beta1", Beta1, "0 or more and less than 1");
        Need(Beta2 is >= 0 and < 1, "beta2", Beta2, "0 or more and less than 1");
        Need(WeightDecay is >= 0 and < 10, "weight_decay", WeightDecay, "0 or more");
        Need(Clip > 0, "clip", Clip, "more than 0");
        Need(Dropout is >= 0 and < 1, "dropout", Dropout, "0 or more and less than 1");
        Need(BiasUpdateRate is >= 0 and < 1, "bias_update_rate", BiasUpdateRate, "0 or more and less than 1");
        Need(EvalInterval >= 0, "eval_interval", EvalInterval, "0 or more");
        Need(Dtype is "auto" or "float32" or "bf16", "dtype", $"\"{Dtype}\"", "\"auto\", \"float32\" or \"bf16\"");
        return this;
    }

    /// <summary>Whether a device can train so.</summary>
    /// <exception cref="CheckpointException">It cannot.</exception>
    public void RequireOn(ComputeDevice device)
    {
        if (GradientCheckpointing && Dropout > 0 && device.IsCuda)
        {
            throw new CheckpointException($"training.dropout is {Dropout} with gradient_checkpointing on CUDA, whose random state is not kept: a layer that is computed again would drop other numbers. Train without one of them, or with --device=cpu.");
        }
    }
}
