using System.Security.Cryptography;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>Losses on held-out text, in nats per token; infinity while there is none.</summary>
/// <param name="Latest">The last evaluation.</param>
/// <param name="Best">The lowest of all.</param>
public readonly record struct ValidationLosses(double Latest, double Best)
{
    public static ValidationLosses None { get; } = new(double.PositiveInfinity, double.PositiveInfinity);
}

/// <summary>
/// All that a <see cref="TrainingLoop"/> needs to go on, in one safetensors file with a checksum of its contents: so a save is one
/// rename, and a file that was changed is not taken for a state. On the CPU training goes on bit for bit; a GPU keeps
/// a random state of its own, which is not saved, and adds in no fixed order.
/// </summary>
public static class TrainerState
{
    private const string Counters = "counters", AdamSteps = "adamw/step", Random = "random/cpu", Validation = "validation";
    private const string Checksum = "sha256", Dtype = "products";

    public static void Save(TrainingLoop loop, string path, ValidationLosses? validation = null)
    {
        using var scope = NewDisposeScope();
        var states = States(loop);
        var losses = validation ?? ValidationLosses.None;
        var entries = new List<SafetensorsEntry>
        {
            SafetensorsEntry.Of(Counters, [2], [loop.Step, loop.Steps]),
            SafetensorsEntry.Of(AdamSteps, [states.Count], states.Select(s => s.step).ToArray()),
            SafetensorsEntry.Of(Validation, [2], [losses.Latest, losses.Best]),
        };
        var random = get_rng_state();
        entries.Add(SafetensorsEntry.Of(Random, SafetensorsType.U8, random.shape, random.bytes));
        foreach (var (name, value) in Tensors(loop, states))
        {
            entries.Add(TensorBytes.Entry(name, value));
        }
        SafetensorsWriter.Write(path, entries, new Dictionary<string, string>
        {
            [Checksum] = Sum(entries.Select(e => (e.Name, e.Write))),
            [Dtype] = loop.Model.ComputeType.ToString(),
        });
    }

    /// <returns>The losses that were saved with it.</returns>
    /// <exception cref="CheckpointException">The file is damaged or of another model.</exception>
    public static ValidationLosses Load(TrainingLoop loop, string path)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        // States of earlier versions have no checksum.
        if (file.Metadata.TryGetValue(Checksum, out string? expected) && expected != Sum(file.Tensors.Select(t => (t.Name, (Action<Stream>)t.CopyTo))))
        {
            throw new CheckpointException($"{path}: the contents are not those that were saved (their SHA-256 differs): the file was damaged.");
        }
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
        if (!file.TryGet(Validation, out var validation))
        {
            return ValidationLosses.None;
        }
        var losses = Typed(validation, SafetensorsType.F64).Expect(2).Span<double>();
        return new(losses[0], losses[1]);
    }

    /// <summary>Dtype of the products that a state was trained with; null if it does not say, or cannot be read.</summary>
    public static ScalarType? RecordedDtype(string path)
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            return file.Metadata.TryGetValue(Dtype, out string? name) && Enum.TryParse(name, out ScalarType type) ? type : null;
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    // Of names and bytes, in the order of the names.
    private static string Sum(IEnumerable<(string Name, Action<Stream> Write)> parts)
    {
        using var sum = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, sum, CryptoStreamMode.Write))
        {
            foreach (var (name, write) in parts.OrderBy(p => p.Name, StringComparer.Ordinal))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(name + "\n"));
                write(stream);
            }
        }
        return Convert.ToHexStringLower(sum.Hash!);
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

    internal static List<AdamW.State> States(TrainingLoop loop) => [.. loop.Optimizer.state_dict().State.Cast<AdamW.State>()];
}
