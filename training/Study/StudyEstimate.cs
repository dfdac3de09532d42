using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;

namespace LatentMoE.Training.Study;

/// <summary>How long runs take: a few steps of every different model on random tokens, timed.</summary>
public static class StudyEstimate
{
    private const int Untimed = 1, Timed = 3;

    // Evaluations and saves beside the steps.
    private const double Overhead = 1.15;

    /// <summary>The time of a whole run of each of the presets that the runs have.</summary>
    /// <param name="presets">Of runs, as they will be trained.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="stop">Ends the estimate early.</param>
    public static IReadOnlyList<TimeSpan> Of(IReadOnlyList<Preset> presets, string device, CancellationToken stop)
    {
        var known = new Dictionary<Preset, TimeSpan>();
        var times = new List<TimeSpan>(presets.Count);
        foreach (var preset in presets)
        {
            var key = preset with { Name = "", Description = "", Recipe = preset.Recipe with { Seed = 0, BiasUpdateRate = 0 } };
            if (!known.TryGetValue(key, out var time))
            {
                stop.ThrowIfCancellationRequested();
                known[key] = time = TimeSpan.FromSeconds(Overhead * preset.Recipe.Steps * SecondsPerStep(preset, ComputeDevice.Choose(device, preset.Recipe.Dtype)));
            }
            times.Add(time);
        }
        return times;
    }

    private static double SecondsPerStep(Preset preset, ComputeDevice device)
    {
        using var model = new Transformer(preset.Model, preset.Recipe.Dropout).to(device.Device);
        using var loop = new TrainingLoop(model, preset.Recipe, Random, device);
        for (int i = 0; i < Untimed; i++)
        {
            loop.Advance();
        }
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int i = 0; i < Timed; i++)
        {
            loop.Advance();
        }
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds / Timed;

        void Random(long index, Span<long> inputs, Span<long> targets)
        {
            var random = new Random((int)index);
            for (int i = 0; i < inputs.Length; i++)
            {
                (inputs[i], targets[i]) = (random.Next(preset.Model.VocabSize), random.Next(preset.Model.VocabSize));
            }
        }
    }
}
