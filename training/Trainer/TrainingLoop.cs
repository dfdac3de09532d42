using LatentMoE.Training.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Transformer = LatentMoE.Training.Model.Transformer;

namespace LatentMoE.Training.Trainer;

/// <summary>Writes micro-batch <paramref name="index"/> as (batch, sequence) inputs and targets; a pure function of the index.</summary>
public delegate void BatchSource(long index, Span<long> inputs, Span<long> targets);

/// <summary>What one optimizer step did.</summary>
/// <param name="Step">Steps taken, this one included.</param>
/// <param name="Loss">Mean nats per token over the step's micro-batches.</param>
/// <param name="LearningRate">The rate it was taken with.</param>
/// <param name="GradNorm">Norm of the gradient before clipping.</param>
/// <param name="Loads">Use of the experts, layer by layer.</param>
public sealed record StepResult(int Step, double Loss, double LearningRate, double GradNorm, IReadOnlyList<ExpertLoad> Loads);

/// <summary>
/// One optimizer step after the other, and nothing else: no files, no clock, no console. Its whole state is the weights, AdamW's
/// moments, torch's random state and <see cref="Step"/>, so that a loop restored from them goes on,
/// on the CPU bit for bit.
/// </summary>
public sealed class TrainingLoop : IDisposable
{
    private readonly BatchQueue _batches;
    private readonly ComputeDevice _device;

    public TrainingLoop(Transformer model, TrainingRecipe recipe, BatchSource source, ComputeDevice device)
    {
        (Model, Recipe, _device) = (model, recipe, device);
        model.ComputeType = device.Dtype;
        model.GradientCheckpointing = recipe.GradientCheckpointing;
        _batches = new BatchQueue(source, recipe.Batch * recipe.Sequence);
        Steps = recipe.Minutes is null ? recipe.Steps : 0;
        var matrices = model.named_parameters().Where(p => p.parameter.dim() > 1).ToArray();
        var vectors = model.named_parameters().Where(p => p.parameter.dim() <= 1).ToArray();
        Parameters = [.. matrices, .. vectors];
        Optimizer = optim.AdamW(
            [
                new AdamW.ParamGroup(matrices.Select(p => p.parameter).ToArray(), new AdamW.Options { weight_decay = recipe.WeightDecay }),
                new AdamW.ParamGroup(vectors.Select(p => p.parameter).ToArray(), new AdamW.Options { weight_decay = 0 }),
            ],
            recipe.LearningRate, recipe.Beta1, recipe.Beta2);
    }

    public Transformer Model { get; }
    public TrainingRecipe Recipe { get; }
    public AdamW Optimizer { get; }

    /// <summary>The trained weights, in the order of the optimizer's states.</summary>
    internal IReadOnlyList<(string name, Parameter parameter)> Parameters { get; }

    /// <summary>Steps taken.</summary>
    public int Step { get; internal set; }

    /// <summary>Steps of the whole run, which the learning rate's cosine ends with; 0 while a run of given minutes is still timing its first steps.</summary>
    public int Steps { get; set; }

    /// <summary>Takes a step.</summary>
    /// <exception cref="NonFiniteException">
    /// The loss or a gradient is NaN or infinite, and the weights are as before the step; or the update left such a weight, and the loop must not be saved.
    /// </exception>
    public StepResult Advance()
    {
        using var scope = NewDisposeScope();
        double rate = LearningRateSchedule.At(Step, Steps, Recipe);
        foreach (var group in Optimizer.ParamGroups)
        {
            group.LearningRate = rate;
        }
        Model.train();
        Optimizer.zero_grad();
        double loss = 0;
        for (int micro = 0; micro < Recipe.Accumulation; micro++)
        {
            loss += Accumulate((long)Step * Recipe.Accumulation + micro);
        }
        double norm = nn.utils.clip_grad_norm_(Parameters.Select(p => p.parameter), Recipe.Clip);
        if (!double.IsFinite(norm))
        {
            throw NonFinite.InBackward(Model, Step, norm);
        }
        Optimizer.step();
        if (!NonFinite.SumIsFinite(Parameters.Select(p => (Tensor)p.parameter)))
        {
            RequireFinite();
        }
        var loads = LoadBalancer.Update(Model, Recipe.BiasUpdateRate);
        Step++;
        return new StepResult(Step, loss, rate, norm, loads);
    }

    /// <summary>To be called before the state is saved. An infinite second moment, for one, shows in no weight: it only stops moving.</summary>
    /// <exception cref="NonFiniteException">A weight, a routing bias or a moment of AdamW is NaN or infinite.</exception>
    public void RequireFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if ((NonFinite.FirstBadWeight(Model) ?? NonFinite.FirstBadMoment(this)) is string tensor)
        {
            throw NonFinite.InUpdate(Step, tensor);
        }
    }

    public void Dispose()
    {
        _batches.Dispose();
        Optimizer.Dispose();
    }

    private double Accumulate(long index)
    {
        using var scope = NewDisposeScope();
        var (inputs, next) = _batches.Take(index);
        var ids = tensor(inputs, [Recipe.Batch, Recipe.Sequence]).to(_device.Device);
        var targets = tensor(next, [Recipe.Batch, Recipe.Sequence]).to(_device.Device);
        double value = Model.Backward(ids, targets, 1.0 / Recipe.Accumulation);
        if (!double.IsFinite(value))
        {
            throw NonFinite.InForward(Model, ids, Step, value);
        }
        return value;
    }
}
