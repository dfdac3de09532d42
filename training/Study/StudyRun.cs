using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Study;

/// <summary>One model to train.</summary>
/// <param name="Family">Size that it belongs to.</param>
/// <param name="Group">What it is, the same for all seeds: a twin, or an ablation.</param>
/// <param name="Seed">Of the weights and of the order of the text.</param>
/// <param name="Preset">Model and recipe.</param>
/// <param name="IsAblation">Whether one property of the FLOP-matched model was changed.</param>
public sealed record StudyRun(string Family, string Group, long Seed, Preset Preset, bool IsAblation = false)
{
    /// <summary>Name of its folder.</summary>
    public string Name => $"{Family}-{Group}-{Seed}";
}
