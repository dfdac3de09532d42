using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using LatentMoE.Export.Sources;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>
/// The decoder of any family as a graph: input_ids, attention_mask, position_ids, past_key_values.N.key/value and the optional
/// num_logits_to_keep → logits, present.N.key/value. Batch, sequence, mask and cache lengths stay symbolic. Values between operators
/// are of the type of the activations, and so are the logits, but that those of bfloat16 leave as float32.
/// </summary>
internal sealed partial class DecoderGraph
{
    public const string ToolName = "LatentMoE.Export";

    private readonly ModelConfig config;
    private readonly IWeightSource weights;
    private readonly Precision precision;
    private readonly DataType cache, activations;
    private readonly GraphBuilder graph = new("decoder");
    private readonly Linear linear;
    private readonly AddRmsNorm addNorm;

    private DecoderGraph(ModelConfig config, IWeightSource weights, Precision precision, DataType cache, DataType activations)
    {
        (this.config, this.weights, this.precision, this.cache, this.activations) = (config, weights, precision, cache, activations);
        linear = new(precision.Linear, activations);
        addNorm = new(config.RmsNormEps, activations);
    }

    /// <summary>The model, and the writer of its weights.</summary>
    /// <param name="precision">With tables in the type of the activations where these are not float32.</param>
    /// <param name="cache">The type of the activations, or Float16 beside those of Float.</param>
    public static (ModelProto Model, ExternalData Data) Build(ModelConfig config, IWeightSource weights, Precision? precision = null,
        DataType cache = DataType.Float, DataType activations = DataType.Float)
    {
        var decoder = new DecoderGraph(config, weights, precision ?? Precision.Float32, cache, activations);
        decoder.Decode();
        return (decoder.graph.Build(ToolName, ToolVersion), decoder.graph.Data);
    }

    /// <summary>The type of the logits: nobody outside reads bfloat16.</summary>
    public static DataType LogitsType(DataType activations) => activations == DataType.Bfloat16 ? DataType.Float : activations;

    public static string ToolVersion => typeof(DecoderGraph).Assembly.GetName().Version!.ToString(3);

    private void Decode()
    {
        graph.Input("input_ids", DataType.Int64, "batch", "sequence");
        graph.Input("attention_mask", DataType.Int64, "batch", "total");
        graph.Input("position_ids", DataType.Int64, "batch", "sequence");
        string keep = graph.OptionalInput("num_logits_to_keep", 0);
        graph.Output("logits", LogitsType(activations), "batch", "kept", config.VocabSize);
        graph.Scope = "embed/";
        string[] embedding = Matrix(precision.Tables, "model.embed_tokens.weight");
        string[] rows = [.. embedding.Select(part => graph.Gather(part, "input_ids"))]; // (B, S, d)
        string x = activations == DataType.Float ? precision.Tables.Widen(graph, rows, 3) : rows[0];
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
        Head(Last(normed, keep), embedding);
    }

    // x (B, S, d) → its last num_logits_to_keep tokens; 0 keeps all.
    private string Last(string x, string keep)
    {
        // Every step hangs on the extent, so that a device computes none of them: it would have to wait for where the slice starts.
        string tokens = graph.Shape(x, 1, 2), before = graph.Sub(tokens, keep); // (1)
        string start = graph.Where(graph.Less(before, tokens), graph.Max(before, graph.Ints(0)), graph.Ints(0));
        return graph.Slice(x, start, graph.Ints(long.MaxValue), 1);
    }

    private void Head(string x, string[] embedding)
    {
        bool cast = LogitsType(activations) != activations;
        string logits = cast ? graph.Scope + "logits" : "logits";
        if (config.TieWordEmbeddings)
        {
            new Linear(precision.Tables, activations).Call(graph, [x, .. embedding], [logits]);
        }
        else
        {
            linear.Call(graph, [x, .. Matrix(precision.Linear, "lm_head.weight")], [logits]);
        }
        if (cast)
        {
            graph.Append("", "Cast", [logits], ["logits"], [NodeAttribute.Int("to", (long)LogitsType(activations))]);
        }
    }

    private string Norm(string x, string gain, double? epsilon = null) => graph.RmsNorm(x, Weight(gain), epsilon ?? config.RmsNormEps, activations);

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
