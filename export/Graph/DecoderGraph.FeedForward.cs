using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Operators;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

internal sealed partial class DecoderGraph
{
    private sealed class FeedForwardPart(DecoderGraph decoder)
    {
        private readonly GraphBuilder graph = decoder.graph;
        private readonly ModelConfig config = decoder.config;
        private readonly MoERouter? router = decoder.config.IsMoE ? new(decoder.config, decoder.activations) : null;
        private readonly MoEExperts? experts =
            decoder.config.IsMoE ? new(decoder.config, decoder.precision.Experts, decoder.activations) : null;
        private string? positions;

        /// <summary>x (B, S, d) → (B, S, d).</summary>
        public string Dense(string x, string p)
        {
            string Part(string name) => graph.Widen(decoder.Project(x, p + name), decoder.activations);
            return decoder.Project(graph.Narrow(graph.SwiGlu(Part("gate_proj"), Part("up_proj")), decoder.activations), p + "down_proj");
        }

        /// <summary>x (B, S, d) → (N, d).</summary>
        public string Experts(string x, string p)
        {
            positions ??= graph.Reshape("position_ids", -1);
            string flat = graph.Reshape(x, -1, config.HiddenSize); // (N, d)
            string chosen = graph.Scope + "experts", shares = graph.Scope + "weights", y = graph.Scope + "moe";
            string gate = decoder.Weight(p + "gate.weight"), bias = Bias(p + "gate.e_score_correction_bias");
            router!.Call(graph, [flat, gate, bias, positions], [chosen, shares]);
            long d = config.HiddenSize, hidden = config.MoeIntermediateSize, e = config.NRoutedExperts;
            List<string> inputs =
            [
                flat, chosen, shares,
                .. Stack(p + "experts.gate_up_proj", [e, 2 * hidden, d], Each(p, "gate_proj", "up_proj")),
                .. Stack(p + "experts.down_proj", [e, d, hidden], Each(p, "down_proj")),
            ];
            if (config.NSharedExperts > 0)
            {
                string s = p + "shared_experts.";
                long shared = config.NSharedExperts * hidden;
                inputs.AddRange(Stack(s + "gate_up_proj.weight", [2 * shared, d], [s + "gate_proj.weight", s + "up_proj.weight"]));
                inputs.AddRange(decoder.Matrix(decoder.precision.Experts, s + "down_proj.weight"));
            }
            experts!.Call(graph, [.. inputs], [y]);
            return y;
        }

        private string[] Stack(string name, long[] shape, IReadOnlyList<string> parts) =>
            decoder.Matrix(decoder.precision.Experts, name, shape, parts);

        private List<string> Each(string p, params string[] parts) =>
            [.. Enumerable.Range(0, config.NRoutedExperts).SelectMany(e => parts.Select(part => $"{p}experts.{e}.{part}.weight"))];

        private string Bias(string name) => decoder.weights.Has(name) ? decoder.Weight(name)
            : graph.Weight(name, DataType.Float, [config.NRoutedExperts], stream => stream.Write(new byte[sizeof(float) * config.NRoutedExperts]));
    }
}
