using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

internal sealed partial class DecoderGraph
{
    private abstract class AttentionPart(DecoderGraph decoder)
    {
        protected DecoderGraph Decoder { get; } = decoder;
        protected GraphBuilder Graph => Decoder.graph;
        protected RotaryTables Rotary { get; } =
            new(decoder.graph, decoder.config, decoder.config.IsLatent ? DataType.Float : decoder.activations);

        /// <summary>x (B, S, d), normed → the attention's output (B, S, d).</summary>
        public abstract string Layer(string x, int layer);

        /// <summary>Declares a layer's cache and gives its four names.</summary>
        protected (string[] Past, string[] Present) Cache(int layer)
        {
            var (heads, width) = Decoder.config.CacheShape;
            string[] past = [$"past_key_values.{layer}.key", $"past_key_values.{layer}.value"];
            string[] present = [$"present.{layer}.key", $"present.{layer}.value"];
            foreach (string name in past)
            {
                Graph.Input(name, Decoder.cache, "batch", heads, "past", width);
            }
            foreach (string name in present)
            {
                Graph.Output(name, Decoder.cache, "batch", heads, "present", width);
            }
            return (past, present);
        }
    }
}
