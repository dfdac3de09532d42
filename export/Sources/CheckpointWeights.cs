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
        var expected = TensorList.All(config).ToList();
        Refuse("lacks", expected.Where(t => !t.Optional && !Has(t.Name)).Select(t => t.Name),
            "that config.json asks for. Export a complete checkpoint, or correct config.json.");
        var known = expected.Select(t => t.Name).ToHashSet();
        var others = tensors.Tensors.Select(t => t.Name).Where(name => !known.Contains(name)).ToList();
        Refuse("holds", others.Where(name => tensors.Inert(name, config) is null && !tensors.IsScale(name)),
            "that no part of the model in config.json uses. Leaving them out would change the model: correct config.json.");
        foreach (var (name, shape, _) in expected.Where(t => Has(t.Name)))
        {
            tensors[name].Expect(shape);
            if (tensors[name].DType is not (SafetensorsType.F32 or SafetensorsType.BF16 or SafetensorsType.F16 or SafetensorsType.F8_E4M3))
            {
                throw new CheckpointException($"{tensors[name].File}: tensor {name} is {tensors[name].DType}; expected F32, BF16, F16 or F8_E4M3.");
            }
        }
        var used = expected.Where(t => Has(t.Name)).Select(t => tensors[t.Name]).ToList();
        Types = [.. used.GroupBy(t => t.DType).OrderByDescending(g => g.Count()).Select(g => (g.Key.ToString(), g.Count()))];
        Dequantised = used.Count(t => tensors.IsQuantised(t.Name));
        Skipped = [.. others.Select(name => tensors.Inert(name, config)).OfType<string>().GroupBy(why => why).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (g.Key, g.Count()))];
    }

    /// <summary>The model's tensors by element type.</summary>
    public IReadOnlyList<(string Type, int Count)> Types { get; }

    /// <summary>How many of the model's tensors are dequantised.</summary>
    public int Dequantised { get; }

    /// <summary>Tensors that the model does not need, by the reason.</summary>
    public IReadOnlyList<(string Reason, int Count)> Skipped { get; }

    public bool Has(string name) => tensors.TryGet(name, out _);

    public long[] Shape(string name) => [.. tensors[name].Shape];

    public void Read(string name, RowReader read)
    {
        string origin = $"{tensors[name].File}: tensor {name}";
        float[] values = [];
        foreach (var (first, count) in RowBlocks.Of(Shape(name)))
        {
            Array.Resize(ref values, Math.Max(values.Length, count));
            var part = values.AsSpan(0, count);
            tensors.ToFloat32(name, first, part);
            read(new WeightRows(origin, first, part));
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
