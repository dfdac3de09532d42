using LatentMoE.Checkpoints;
using LatentMoE.Export.Sources;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>The formats of a package's matrices. Norms, router and rotary tables are float32 in every precision.</summary>
/// <param name="Linear">Of the linear layers and an untied head.</param>
/// <param name="Experts">Of routed and shared experts.</param>
/// <param name="Tables">Of the embedding, which may be the head too, and of the latent's expansion to keys and values.</param>
internal sealed record Precision(WeightFormat Linear, WeightFormat Experts, WeightFormat Tables)
{
    public static Precision Float32 { get; } = new(WeightFormat.Float32, WeightFormat.Float32, WeightFormat.Float32);

    public static IReadOnlyList<string> Names { get; } = ["f32", "f16", "bf16", "int8", "int4"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="activations">Tables that are not quantised with the rest are of this type, or float16 beside float32.</param>
    /// <exception cref="CheckpointException">A row is no whole number of blocks.</exception>
    public static Precision Of(string name, ModelConfig config, DataType activations = DataType.Float)
    {
        var tables = activations == DataType.Bfloat16 ? WeightFormat.BFloat16 : WeightFormat.Float16;
        switch (name)
        {
            case "f32":
                return Float32;
            case "f16":
                return new(WeightFormat.Float16, WeightFormat.Float16, WeightFormat.Float16);
            case "bf16":
                return new(WeightFormat.BFloat16, WeightFormat.BFloat16, WeightFormat.BFloat16);
            case "int8":
                var (linear, experts) = Blocks(name, config);
                return new(new Int8Format(linear), new Int8Format(experts), tables);
            case "int4":
                (linear, experts) = Blocks(name, config);
                return new(new Int4Format(linear), new Int4Format(experts), tables);
            default:
                throw new ArgumentException($"there is no precision {name}");
        }
    }

    /// <summary>float32 matrices of the same values.</summary>
    public Precision Rounded() => new(new RoundedFormat(Linear), new RoundedFormat(Experts), new RoundedFormat(Tables));

    // All nodes of one operator share its body, so one block length serves all of them.
    private static (int Linear, int Experts) Blocks(string precision, ModelConfig config)
    {
        var roles = TensorList.All(config).ToLookup(t => TensorList.RoleOf(t.Name), t => (t.Name, Width: t.Shape[^1]));
        int Block(MatrixRole role)
        {
            const int Long = 32, Short = 16;
            var (odd, width) = roles[role].FirstOrDefault(m => m.Width % Short != 0);
            return odd is null ? roles[role].All(m => m.Width % Long == 0) ? Long : Short
                : throw new CheckpointException($"tensor {odd} has rows of {width} elements; {precision} stores rows in blocks of {Short} or "
                    + $"{Long}. Export with --precision=f32, f16 or bf16.");
        }
        return (Block(MatrixRole.Linear), Block(MatrixRole.Experts));
    }
}
