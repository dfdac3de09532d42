using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// All that a <see cref="TrainingLoop"/> needs to go on, in one safetensors file: so a save is one rename, and a process killed
/// at any moment leaves the state before it or after it, never half of each. On the CPU training goes on bit for bit; a GPU keeps
/// a random state of its own, which is not saved, and adds in no fixed order.
/// </summary>
public static class TrainerState
{
    private const string Counters = "counters", AdamSteps = "adamw/step", Random = "random/cpu";

    public static void Save(TrainingLoop loop, string path)
    {
        using var scope = NewDisposeScope();
        var states = States(loop);
        var entries = new List<SafetensorsEntry>
        {
            SafetensorsEntry.Of(Counters, [2], [loop.Step, loop.Steps]),
            SafetensorsEntry.Of(AdamSteps, [states.Count], states.Select(s => s.step).ToArray()),
        };
        var random = get_rng_state();
        entries.Add(SafetensorsEntry.Of(Random, SafetensorsType.U8, random.shape, random.bytes));
        foreach (var (name, value) in Tensors(loop, states))
        {
            entries.Add(TensorBytes.Entry(name, value));
        }
        SafetensorsWriter.Write(path, entries);
    }

    /// <exception cref="CheckpointException">The file is damaged or of another model.</exception>
    public static void Load(TrainingLoop loop, string path)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        var states = States(loop);
        foreach (var (name, value) in Tensors(loop, states))
        {
            TensorBytes.Read(file[name], value);
        }
        var steps = Typed(file[AdamSteps], SafetensorsType.I64).Expect(states.Count).Span<long>();
        for (int i = 0; i < states.Count; i++)
        {
            states[i].step = steps[i];
        }
        var random = Typed(file[Random], SafetensorsType.U8).Expect(get_rng_state().shape);
        set_rng_state(tensor(random.Bytes.ToArray(), [.. random.Shape]));
        var counters = Typed(file[Counters], SafetensorsType.I64).Expect(2).Span<long>();
        (loop.Step, loop.Steps) = ((int)counters[0], (int)counters[1]);
    }

    private static SafetensorsTensor Typed(SafetensorsTensor tensor, SafetensorsType type) => tensor.DType == type ? tensor
        : throw new CheckpointException($"{tensor.File}: tensor {tensor.Name} is {tensor.DType}; expected {type}. Remove the folder to train afresh.");

    private static IEnumerable<(string Name, Tensor Value)> Tensors(TrainingLoop loop, List<AdamW.State> states)
    {
        for (int i = 0; i < states.Count; i++)
        {
            var (name, parameter) = loop.Parameters[i];
            yield return ($"weight/{name}", parameter);
            yield return ($"adamw/exp_avg/{name}", states[i].exp_avg);
            yield return ($"adamw/exp_avg_sq/{name}", states[i].exp_avg_sq);
        }
        foreach (var (layer, moe) in loop.Model.Mixtures)
        {
            yield return ($"router_bias/{layer}", moe.Gate.Bias);
        }
    }

    private static List<AdamW.State> States(TrainingLoop loop) => [.. loop.Optimizer.state_dict().State.Cast<AdamW.State>()];
}
