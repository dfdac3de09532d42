using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>Finds where a NaN or an infinity came from, once one was seen.</summary>
internal static class NonFinite
{
    /// <summary>After a loss that is not finite: the first bad weight, or else the first bad activation on the batch that gave it.</summary>
    public static NonFiniteException InForward(Transformer model, Tensor ids, int step, double loss)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        string where = FirstBadWeight(model) is string weight ? $"the first bad weight is {weight}"
            : model.Stages(ids).FirstOrDefault(s => !IsFinite(s.Value)).Name is string part ? $"the first bad activation is the output of {part}"
            : "all weights and activations are finite, so it arose in the loss itself";
        return Describe(step, $"the loss is {loss}; {where}");
    }

    /// <summary>After a gradient norm that is not finite: the first weight whose gradient is bad.</summary>
    public static NonFiniteException InBackward(Transformer model, int step, double norm)
    {
        using var scope = NewDisposeScope();
        string where = model.named_parameters().FirstOrDefault(p => p.parameter.grad is { } grad && !IsFinite(grad)).name is string name
            ? $"the first bad gradient is that of {CheckpointNames.Prefixed(name)}" : "every single gradient is finite, but their norm overflows";
        return Describe(step, $"the gradient norm is {norm}; {where}");
    }

    /// <summary>After an update that left a bad weight or moment behind.</summary>
    public static NonFiniteException InUpdate(int step, string name) => Describe(step, $"the update left a NaN or an infinity in {name}");

    /// <summary>Name of the first weight that holds a NaN or an infinity, or null.</summary>
    public static string? FirstBadWeight(Transformer model) =>
        CheckpointNames.Parts(model).FirstOrDefault(p => !IsFinite(p.View)).Name;

    /// <summary>The first moment of AdamW that holds a NaN or an infinity, with the weight it belongs to, or null.</summary>
    public static string? FirstBadMoment(TrainingLoop loop)
    {
        foreach (var (state, (name, _)) in TrainerState.States(loop).Zip(loop.Parameters))
        {
            string weight = CheckpointNames.Prefixed(name);
            if (!IsFinite(state.exp_avg))
            {
                return $"AdamW's mean of the gradients of {weight}";
            }
            if (!IsFinite(state.exp_avg_sq))
            {
                return $"AdamW's mean of the squared gradients of {weight}";
            }
        }
        return null;
    }

    /// <summary>A look at every tensor that costs a device one wait: false where there is a NaN or an infinity, or where finite numbers add up to one.</summary>
    public static bool SumIsFinite(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return IsFinite(stack(tensors.Select(t => t.sum())));
    }

    private static bool IsFinite(Tensor x) => x.isfinite().all().item<bool>();

    private static NonFiniteException Describe(int step, string what) =>
        new($"step {step}: {what}. Nothing of this step was saved. Give a smaller --learning-rate, or --dtype=float32: the run then starts afresh and this one is set aside.");
}
