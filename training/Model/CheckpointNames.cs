using LatentMoE.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// The one place that knows how our parameters are called in a Hugging Face checkpoint. Most are called the same; stacked
/// experts are one tensor here and one per expert there, and a gate with its up projection is one here and two there.
/// </summary>
public static class CheckpointNames
{
    private const string Bias = ".mlp.gate.e_score_correction_bias";

    /// <summary>A checkpoint tensor: its name, and the view of our weight that holds its values.</summary>
    public readonly record struct Part(string Name, Tensor View);

    /// <summary>The tensors of the model's checkpoint, in the order of its layers. Views share memory with the weights.</summary>
    public static IEnumerable<Part> Parts(Transformer model)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            foreach (var part in Split(Prefixed(name), parameter.detach()))
            {
                yield return part;
            }
        }
        foreach (var (layer, moe) in model.Mixtures)
        {
            yield return new($"model.layers.{layer}{Bias}", moe.Gate.Bias);
        }
    }

    /// <summary>Writes <c>model.safetensors</c> in float32.</summary>
    public static void Save(Transformer model, string path)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(path, Parts(model).Select(part => TensorBytes.Entry(part.Name, part.View)).ToList(),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Fills the model from a checkpoint.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, has another shape, or is one that this model has no place for.</exception>
    public static void Load(Transformer model, CheckpointTensors tensors)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var known = new HashSet<string>();
        foreach (var part in Parts(model))
        {
            // Methods that choose by the score alone have no bias in a published checkpoint.
            if (model.Config.TopkMethod != "noaux_tc" && part.Name.EndsWith(Bias, StringComparison.Ordinal) && !tensors.TryGet(part.Name, out var bias))
            {
                part.View.zero_();
            }
            else
            {
                TensorBytes.Read(tensors, part.Name, part.View);
            }
            known.Add(part.Name);
        }
        if (tensors.Tensors.FirstOrDefault(t => !known.Contains(t.Name) && !tensors.IsScale(t.Name) && tensors.Inert(t.Name, model.Config) is null) is { } extra)
        {
            throw new CheckpointException($"{extra.File}: tensor {extra.Name} has no place in a model of this config.json.");
        }
    }

    internal static string Prefixed(string name) => name.StartsWith("lm_head.", StringComparison.Ordinal) ? name : "model." + name;

    private static IEnumerable<Part> Split(string name, Tensor weight)
    {
        string parent = name[..(name.LastIndexOf('.') + 1)];
        if (name.EndsWith(".experts.gate_up_proj", StringComparison.Ordinal))
        {
            long half = weight.shape[1] / 2;
            for (long e = 0; e < weight.shape[0]; e++)
            {
                yield return new($"{parent}{e}.gate_proj.weight", weight.select(0, e).narrow(0, 0, half));
                yield return new($"{parent}{e}.up_proj.weight", weight.select(0, e).narrow(0, half, half));
            }
        }
        else if (name.EndsWith(".experts.down_proj", StringComparison.Ordinal))
        {
            for (long e = 0; e < weight.shape[0]; e++)
            {
                yield return new($"{parent}{e}.down_proj.weight", weight.select(0, e));
            }
        }
        else if (name.EndsWith(".gate_up_proj.weight", StringComparison.Ordinal))
        {
            long half = weight.shape[0] / 2;
            yield return new(name.Replace(".gate_up_proj.", ".gate_proj."), weight.narrow(0, 0, half));
            yield return new(name.Replace(".gate_up_proj.", ".up_proj."), weight.narrow(0, half, half));
        }
        else
        {
            yield return new(name, weight);
        }
    }
}
