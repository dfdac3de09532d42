using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using LatentMoE.Export.Sources;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>
/// The decoder of any family as a graph: input_ids, attention_mask, position_ids, past_key_values.N.key/value and the optional
/// num_logits_to_keep → logits, present.N.key/value. Batch, sequence, mask and cache lengths stay symbolic.
/// </summary>
internal sealed partial class DecoderGraph
{
    public const string ToolName = "LatentMoE.Export";

    private readonly ModelConfig config;
    private readonly IWeightSource weights;
    private readonly Precision precision;
    private readonly DataType cache;
    private readonly GraphBuilder graph = new("decoder");
    private readonly Linear linear;
    private readonly AddRmsNorm addNorm;

    private DecoderGraph(ModelConfig config, IWeightSource weights, Precision precision, DataType cache)
    {
        (this.config, this.weights, this.precision, this.cache) = (config, weights, precision, cache);
        linear = new(precision.Linear);
        addNorm = new(config.RmsNormEps);
    }

    /// <summary>The model, and the writer of its weights.</summary>
    /// <param name="cache">Float or Float16.</param>
    public static (ModelProto Model, ExternalData Data) Build(
        ModelConfig config, IWeightSource weights, Precision? precision = null, DataType cache = DataType.Float)
    {
        var decoder = new DecoderGraph(config, weights, precision ?? Precision.Float32, cache);
        decoder.Decode();
        return (decoder.graph.Build(ToolName, ToolVersion), decoder.graph.Data);
    }

    public static string ToolVersion => typeof(DecoderGraph).Assembly.GetName().Version!.ToString(3);

    private void Decode()
    {
        graph.Input("input_ids", DataType.Int64, "batch", "sequence");
        graph.Input("attention_mask", DataType.Int64, "batch", "total");
        graph.Input("position_ids", DataType.Int64, "batch", "sequence");
        string keep = graph.OptionalInput("num_logits_to_keep", 0);
        graph.Output("logits", DataType.Float, "batch", "kept", config.VocabSize);
        graph.Scope = "embed/";
        string[] embedding = Matrix(precision.Tables, "model.embed_tokens.weight");
        string x = precision.Tables.Widen(graph, [.. embedding.Select(part => graph.Gather(part, "input_ids"))], 3); // (B, S, d)
        AttentionPart attention = config.IsLatent ? new LatentAttentionPart(this) : new MultiHeadAttentionPart(this);
        var feedForward = new FeedForwardPart(this);
        string normed = Norm(x, "model.layers.0.input_layernorm.weight");
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.";
            graph.Scope = $"layers.{layer}/";
            (normed, x) = AddNorm("attention", attention.Layer(normed, layer), x, p + "post_attention_layernorm.weight");
            string y = config.IsMoELayer(layer) ? feedForward.Experts(normed, p + "mlp.") : feedForward.Dense(normed, p + "mlp.");
            // The norm of what follows: the next layer, or the head.
            bool last = layer == config.NumHiddenLayers - 1;
            (normed, x) = AddNorm("mlp", y, x, last ? "model.norm.weight" : $"model.layers.{layer + 1}.input_layernorm.weight");
        }
        graph.Scope = "head/";
        // The last num_logits_to_keep tokens; 0 keeps all.
        string count = graph.Reshape(keep, 1), start = graph.Where(graph.Greater(count, graph.Ints(0)), graph.Neg(count), graph.Ints(0));
        x = graph.Slice(normed, start, graph.Ints(long.MaxValue), 1);
        if (config.TieWordEmbeddings)
        {
            new Linear(precision.Tables).Call(graph, [x, .. embedding], ["logits"]);
        }
        else
        {
            linear.Call(graph, [x, .. Matrix(precision.Linear, "lm_head.weight")], ["logits"]);
        }
    }

    private string Norm(string x, string gain) => graph.RmsNorm(x, Weight(gain), config.RmsNormEps);

    /// <summary>residual + x, and its norm; x is (.., d), the others are (B, S, d).</summary>
    private (string Normed, string Sum) AddNorm(string part, string x, string residual, string gain)
    {
        string normed = $"{graph.Scope}{part}_norm", sum = $"{graph.Scope}{part}_sum";
        addNorm.Call(graph, [x, residual, Weight(gain)], [normed, sum]);
        return (normed, sum);
    }

    private string Weight(string name) => Matrix(WeightFormat.Float32, name)[0];

    private string[] Matrix(WeightFormat format, string name) => Matrix(format, name, weights.Shape(name), [name]);

    // Several tensors of the source, one behind the other, as one matrix or a stack of them.
    private string[] Matrix(WeightFormat format, string name, long[] shape, IReadOnlyList<string> parts)
    {
        var writer = new MatrixWriter(weights, parts, format);
        return [.. format.Tensors(name, shape).Select((t, i) => graph.Weight(t.Name, t.Type, t.Shape, i == 0 ? writer.Data : writer.Scales))];
    }

    /// <summary>y = x·Wᵀ with the weight of the given prefix; the output is named after it.</summary>
    private string Project(string x, string prefix)
    {
        string name = graph.Scope + prefix.Split('.')[^1];
        linear.Call(graph, [x, .. Matrix(precision.Linear, prefix + ".weight")], [name]);
        return name;
    }
}
