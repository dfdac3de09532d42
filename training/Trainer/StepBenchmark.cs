using System.Diagnostics;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>Times of one training step, in milliseconds.</summary>
/// <param name="Step">The whole step, as training takes it.</param>
/// <param name="Forward">The loss of one micro-batch.</param>
/// <param name="Backward">Its gradients.</param>
/// <param name="Data">Preparing a batch; training does it on another thread during a step.</param>
public readonly record struct StepTimes(double Step, double Forward, double Backward, double Data)
{
    /// <summary>What is neither forward nor backward: clipping, AdamW, checks, balancing.</summary>
    public double Rest => Math.Max(0, Step - Forward - Backward);
}

/// <summary>A model in training, to be timed. The tokens are made up: frequent and rare ones as in text, each following from the one before.</summary>
public sealed class StepBenchmark : IDisposable
{
    private readonly TrainingLoop _loop;
    private readonly ComputeDevice _device;
    private readonly int _vocabulary;
    private long _index;

    public StepBenchmark(ModelConfig model, TrainingRecipe recipe, ComputeDevice device)
    {
        (_device, _vocabulary) = (device, model.VocabSize);
        manual_seed(recipe.Seed);
        _loop = new TrainingLoop(new Transformer(model, recipe.Dropout).to(device.Device), recipe, Fill, device);
    }

    /// <summary>Nats per token of the last step.</summary>
    public double Loss { get; private set; }

    /// <summary>Takes a step and times it, and its parts on another batch.</summary>
    public StepTimes Measure()
    {
        double step = Milliseconds(() => Loss = _loop.Advance().Loss);
        using var scope = NewDisposeScope();
        var recipe = _loop.Recipe;
        long[] inputs = new long[recipe.Batch * recipe.Sequence], targets = new long[inputs.Length];
        double data = Milliseconds(() => Fill(--_index, inputs, targets));
        long[] shape = [recipe.Batch, recipe.Sequence];
        Tensor ids = tensor(inputs, shape).to(_device.Device), next = tensor(targets, shape).to(_device.Device);
        Tensor loss = null!;
        double forward = Milliseconds(() => Wait(loss = _loop.Model.Loss(ids, next)));
        double backward = Milliseconds(() =>
        {
            loss.backward();
            Wait(_loop.Parameters[0].parameter.grad!);
        });
        return new(step, forward * recipe.Accumulation, backward * recipe.Accumulation, data);
    }

    /// <summary>Bytes that a step allocates at its peak beyond what the model and the optimizer hold; null where the allocator does not say.</summary>
    public long? PeakOfAStep() => _device.IsCuda ? null : HeapPeak.Of(() => _loop.Advance());

    public void Dispose()
    {
        _loop.Dispose();
        _loop.Model.Dispose();
    }

    private void Fill(long index, Span<long> inputs, Span<long> targets)
    {
        var random = new Random(unchecked((int)index));
        long token = random.Next(_vocabulary);
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = token;
            // Zipf's law, nearly: the rank is log-uniform. Every third token follows from the one before.
            token = i % 3 == 0 ? (token * 5 + 3) % _vocabulary : (long)Math.Pow(_vocabulary, random.NextDouble()) - 1;
            targets[i] = token;
        }
    }

    private static void Wait(Tensor value)
    {
        using var scope = NewDisposeScope();
        _ = value.detach().flatten()[0].to(ScalarType.Float32).item<float>();
    }

    private static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
