using System.Numerics.Tensors;
using System.Text;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;

namespace LatentMoE.Export.Sources;

/// <summary>
/// Normal weights of deviations that keep every layer's output of order one: logits differ clearly between tokens, and the router
/// spreads its choice over all experts. A tensor's values depend on the seed and its name alone.
/// </summary>
internal sealed class RandomWeights(ModelConfig config, int seed) : IWeightSource
{
    private readonly Dictionary<string, long[]> shapes = TensorList.All(config).ToDictionary(t => t.Name, t => t.Shape);

    public bool Has(string name) => shapes.ContainsKey(name);

    public long[] Shape(string name) => shapes[name];

    public void Read(string name, RowReader read)
    {
        long[] shape = shapes[name];
        var numbers = new NormalNumbers(Seed(name));
        float[] values = [];
        foreach (var (first, count) in RowBlocks.Of(shape))
        {
            Array.Resize(ref values, Math.Max(values.Length, count));
            var part = values.AsSpan(0, count);
            if (shape.Length == 1)
            {
                part.Fill(name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1);
            }
            else
            {
                numbers.Fill(part);
                TensorPrimitives.Multiply(part, Deviation(name, shape[^1]), part);
            }
            read(new WeightRows(name, first, part));
        }
    }

    private float Deviation(string name, long width) => name switch
    {
        "lm_head.weight" => 2 / MathF.Sqrt(width),
        "model.embed_tokens.weight" => config.TieWordEmbeddings ? 2 / MathF.Sqrt(width) : 1,
        _ => 1 / MathF.Sqrt(width),
    };

    // FNV-1a.
    private ulong Seed(string name) =>
        Encoding.UTF8.GetBytes(name).Aggregate(14695981039346656037 + (ulong)seed, (hash, b) => (hash ^ b) * 1099511628211);
}
