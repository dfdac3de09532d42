using System.Diagnostics.CodeAnalysis;
using LatentMoE.Checkpoints.Internals;

namespace LatentMoE.Checkpoints;

/// <summary>
/// The weights of a Hugging Face checkpoint folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c>
/// names. Files are mapped, and read where they are asked for.
/// </summary>
public sealed class CheckpointTensors : IDisposable
{
    private readonly List<SafetensorsFile> files;
    private readonly Dictionary<string, SafetensorsTensor> tensors = [];
    private readonly Dictionary<string, BlockScales> scales = [];
    private readonly int extraLayers;

    private CheckpointTensors(string folder, List<SafetensorsFile> files, ShardIndex? index, BlockQuantization? quantization, int extraLayers)
    {
        (Folder, this.files, this.extraLayers) = (folder, files, extraLayers);
        foreach (var tensor in files.SelectMany(f => f.Tensors))
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
            {
                throw new CheckpointException($"{tensor.File}: tensor {tensor.Name} is also in {tensors[tensor.Name].File}.");
            }
        }
        index?.Check(tensors);
        foreach (var weight in tensors.Values.Where(t => t.DType == SafetensorsType.F8_E4M3))
        {
            scales.Add(weight.Name, Scales(weight, quantization));
        }
    }

    public string Folder { get; }
    public IReadOnlyCollection<SafetensorsTensor> Tensors => tensors.Values;

    /// <summary>Number of files.</summary>
    public int Files => files.Count;

    /// <exception cref="CheckpointException">There is no tensor of that name.</exception>
    public SafetensorsTensor this[string name] => TryGet(name, out var tensor) ? tensor
        : throw new CheckpointException($"{Folder}: tensor {name} is missing from the checkpoint.");

    public bool TryGet(string name, [MaybeNullWhen(false)] out SafetensorsTensor tensor) => tensors.TryGetValue(name, out tensor);

    /// <summary>Whether a tensor's numbers are its elements times the factors of their blocks.</summary>
    public bool IsQuantised(string name) => scales.ContainsKey(name);

    /// <summary>Whether a tensor holds the factors of another.</summary>
    public bool IsScale(string name) => name.EndsWith(BlockQuantization.ScaleSuffix, StringComparison.Ordinal)
        && scales.ContainsKey(name[..^BlockQuantization.ScaleSuffix.Length]);

    /// <summary>
    /// Why a tensor that published checkpoints carry is not needed: its model computes the same without; null where it may be needed.
    /// </summary>
    public string? Inert(string name, ModelConfig model)
    {
        for (int layer = model.NumHiddenLayers; layer < model.NumHiddenLayers + extraLayers; layer++)
        {
            if (name.StartsWith($"model.layers.{layer}.", StringComparison.Ordinal))
            {
                return $"layer {layer}, which predicts further tokens";
            }
        }
        return name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) ? "rotary frequencies, which config.json gives"
            : model.TieWordEmbeddings && name == "lm_head.weight" ? "the head, which is the embedding"
            : null;
    }

    /// <summary>All of a tensor's numbers, dequantised where it is quantised.</summary>
    public float[] ToFloat32(string name)
    {
        float[] result = this[name].ToFloat32();
        if (scales.TryGetValue(name, out var factors))
        {
            factors.Apply(0, result);
        }
        return result;
    }

    /// <summary>As many of a tensor's numbers from number <paramref name="first"/> on as fit.</summary>
    public void ToFloat32(string name, long first, Span<float> destination)
    {
        this[name].ToFloat32(first, destination);
        if (scales.TryGetValue(name, out var factors))
        {
            factors.Apply(first, destination);
        }
    }

    /// <param name="folder">The checkpoint.</param>
    /// <param name="config">What its config.json says of weights; null for those of float types alone.</param>
    /// <exception cref="CheckpointException">There are no weights, a file of them is damaged, or the index tells other things than the files.</exception>
    public static CheckpointTensors Open(string folder, CheckpointConfig? config = null)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            const string Single = "model.safetensors";
            ShardIndex? index = null;
            if (!File.Exists(Path.Combine(folder, Single)))
            {
                index = File.Exists(Path.Combine(folder, ShardIndex.FileName)) ? ShardIndex.Read(folder)
                    : throw new CheckpointException($"{folder}: holds neither {Single} nor {ShardIndex.FileName}. Train first, or name a Hugging Face checkpoint folder.");
            }
            foreach (string name in index?.Files ?? [Single])
            {
                files.Add(SafetensorsFile.Open(Path.Combine(folder, name)));
            }
            return new(folder, files, index, config?.Quantization, config?.ExtraLayers ?? 0);
        }
        catch
        {
            files.ForEach(f => f.Dispose());
            throw;
        }
    }

    public void Dispose() => files.ForEach(f => f.Dispose());

    private BlockScales Scales(SafetensorsTensor weight, BlockQuantization? quantization)
    {
        if (quantization is null)
        {
            throw new CheckpointException($"{weight.File}: tensor {weight.Name} is F8_E4M3, but config.json has no quantization_config that says how it is "
                + "scaled; expected quant_method \"fp8\" and a weight_block_size.");
        }
        string name = weight.Name + BlockQuantization.ScaleSuffix;
        return TryGet(name, out var factors) ? new(weight, factors, quantization)
            : throw new CheckpointException($"{weight.File}: tensor {weight.Name} is F8_E4M3, but its factors, {name}, are missing from the checkpoint.");
    }
}
