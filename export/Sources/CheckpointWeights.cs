using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;

namespace LatentMoE.Export.Sources;

/// <summary>The weights of a checkpoint that fits its configuration exactly: none missing, none of another shape, none left over.</summary>
internal sealed class CheckpointWeights : IWeightSource
{
    private const int Listed = 8;
    private readonly CheckpointTensors tensors;

    /// <exception cref="CheckpointException">
    /// The tensors are not those that the configuration asks for; the message lists the differences.
    /// </exception>
    public CheckpointWeights(CheckpointTensors tensors, ModelConfig config)
    {
        this.tensors = tensors;
        Refuse("lacks", TensorList.All(config).Where(t => !t.Optional && !tensors.TryGet(t.Name, out _)).Select(t => t.Name),
            "that config.json asks for. Export a complete checkpoint, or correct config.json.");
        var known = TensorList.All(config).Select(t => t.Name).ToHashSet();
        Refuse("holds", tensors.Tensors.Select(t => t.Name).Where(name => !known.Contains(name) && !TensorList.IsInert(name, config)),
            "that no part of the model in config.json uses. Leaving them out would change the model: correct config.json.");
        foreach (var (name, shape, _) in TensorList.All(config).Where(t => tensors.TryGet(t.Name, out _)))
        {
            tensors[name].Expect(shape);
            if (tensors[name].DType is not (SafetensorsType.F32 or SafetensorsType.BF16 or SafetensorsType.F16))
            {
                throw new CheckpointException($"{tensors[name].File}: tensor {name} is {tensors[name].DType}; expected F32, BF16 or F16.");
            }
        }
    }

    public bool Has(string name) => tensors.TryGet(name, out _);

    public long[] Shape(string name) => [.. tensors[name].Shape];

    public void Read(string name, RowReader read)
    {
        var tensor = tensors[name];
        float[] values = [];
        foreach (var (first, count) in RowBlocks.Of(Shape(name)))
        {
            Array.Resize(ref values, Math.Max(values.Length, count));
            var part = values.AsSpan(0, count);
            tensor.ToFloat32(first, part);
            read(new WeightRows($"{tensor.File}: tensor {name}", first, part));
        }
    }

    private void Refuse(string verb, IEnumerable<string> names, string why)
    {
        string[] all = [.. names.Order(StringComparer.Ordinal)];
        if (all.Length > 0)
        {
            string more = all.Length > Listed ? $" and {all.Length - Listed} more" : "";
            throw new CheckpointException($"{tensors.Folder}: the checkpoint {verb} {string.Join(", ", all.Take(Listed))}{more}, {why}");
        }
    }
}
