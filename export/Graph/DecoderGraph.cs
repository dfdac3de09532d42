using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
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
    private readonly CheckpointWeights weights;
    private readonly GraphBuilder graph = new("decoder");
    private readonly Linear linear = new();

    private DecoderGraph(ModelConfig config, CheckpointWeights weights) => (this.config, this.weights) = (config, weights);

    /// <summary>The model, and the writer of its weights.</summary>
    public static (ModelProto Model, ExternalData Data) Build(ModelConfig config, CheckpointWeights weights)
    {
        var decoder = new DecoderGraph(config, weights);
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
        string embedding = Weight("model.embed_tokens.weight");
        string x = graph.Gather(embedding, "input_ids"); // (B, S, d)
        AttentionPart attention = config.IsLatent ? new LatentAttentionPart(this) : new MultiHeadAttentionPart(this);
        var feedForward = new FeedForwardPart(this);
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.";
            graph.Scope = $"layers.{layer}/";
            x = graph.Add(x, attention.Layer(Norm(x, p + "input_layernorm.weight"), layer));
            string normed = Norm(x, p + "post_attention_layernorm.weight");
            x = graph.Add(x, config.IsMoELayer(layer) ? feedForward.Experts(normed, p + "mlp.") : feedForward.Dense(normed, p + "mlp."));
        }
        graph.Scope = "head/";
        // The last num_logits_to_keep tokens; 0 keeps all.
        string count = graph.Reshape(keep, 1), start = graph.Where(graph.Greater(count, graph.Ints(0)), graph.Neg(count), graph.Ints(0));
        x = Norm(graph.Slice(x, start, graph.Ints(long.MaxValue), 1), "model.norm.weight");
        linear.Call(graph, [x, config.TieWordEmbeddings ? embedding : Weight("lm_head.weight")], ["logits"]);
    }

    private string Norm(string x, string gain) => graph.RmsNorm(x, Weight(gain), config.RmsNormEps);

    private string Weight(string name) => graph.Weight(name, weights.Shape(name), stream => weights.Write(name, stream));

    /// <summary>y = x·Wᵀ with the weight of the given prefix; the output is named after it.</summary>
    private string Project(string x, string prefix)
    {
        string name = graph.Scope + prefix.Split('.')[^1];
        linear.Call(graph, [x, Weight(prefix + ".weight")], [name]);
        return name;
    }
}
