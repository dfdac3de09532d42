using LatentMoE.Checkpoints;

namespace LatentMoE.Tests.Support.Reference;

/// <summary>
/// The whole decoder of a <see cref="ModelConfig"/>, one sequence at a time, in float64 and plain loops over the published equations.
/// </summary>
/// <param name="config">Any of the four twins.</param>
/// <param name="weights">Row-major tensors under their Hugging Face names.</param>
public sealed class ReferenceDecoder(ModelConfig config, IReadOnlyDictionary<string, float[]> weights)
{
    /// <summary>The experts of the last <see cref="Logits"/>: for each MoE layer, for each token.</summary>
    public List<List<int[]>> Chosen { get; } = [];

    /// <summary>Reads the weights of a checkpoint folder.</summary>
    public static ReferenceDecoder Open(string folder)
    {
        using var tensors = CheckpointTensors.Open(folder);
        return new(ModelConfig.Load(folder), tensors.Tensors.ToDictionary(t => t.Name, t => t.ToFloat32()));
    }

    /// <summary>Logits [T, V] of the next token after each of the given ones.</summary>
    public double[] Logits(IReadOnlyList<long> ids)
    {
        Chosen.Clear();
        int d = config.HiddenSize;
        float[] embedding = weights["model.embed_tokens.weight"];
        var x = new double[ids.Count * d];
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = embedding[ids[i / d] * d + i % d];
        }
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.";
            double[] normed = ReferenceMath.RmsNorm(x, weights[p + "input_layernorm.weight"], config.RmsNormEps);
            x = ReferenceMath.Add(x, config.IsLatent ? Latent(normed, p + "self_attn.") : MultiHead(normed, p + "self_attn."));
            normed = ReferenceMath.RmsNorm(x, weights[p + "post_attention_layernorm.weight"], config.RmsNormEps);
            x = ReferenceMath.Add(x, config.IsMoELayer(layer) ? Experts(normed, p + "mlp.") : Dense(normed, p + "mlp."));
        }
        float[] head = config.TieWordEmbeddings ? embedding : weights["lm_head.weight"];
        return ReferenceMath.Linear(ReferenceMath.RmsNorm(x, weights["model.norm.weight"], config.RmsNormEps), head, d);
    }

    /// <summary>The most probable continuation of a prompt, recomputing everything for every token.</summary>
    public long[] Greedy(IReadOnlyList<long> prompt, int count)
    {
        List<long> ids = [.. prompt];
        for (int i = 0; i < count; i++)
        {
            double[] last = Logits(ids)[^config.VocabSize..];
            ids.Add(Array.IndexOf(last, last.Max()));
        }
        return [.. ids.Skip(prompt.Count)];
    }

    private double[] Latent(double[] x, string p)
    {
        int d = config.HiddenSize, tokens = x.Length / d;
        double[] q;
        if (config.QLoraRank is int rank)
        {
            double[] low = ReferenceMath.Linear(x, weights[p + "q_a_proj.weight"], d);
            low = ReferenceMath.RmsNorm(low, weights[p + "q_a_layernorm.weight"], config.RmsNormEps);
            q = ReferenceMath.Linear(low, weights[p + "q_b_proj.weight"], rank);
        }
        else
        {
            q = ReferenceMath.Linear(x, weights[p + "q_proj.weight"], d);
        }
        double[] kv = ReferenceMath.Linear(x, weights[p + "kv_a_proj_with_mqa.weight"], d);
        var attention = new ReferenceLatentAttention(config.NumAttentionHeads, config.QkNopeHeadDim, config.QkRopeHeadDim, config.VHeadDim,
            config.KvLoraRank, config.RopeTheta, config.RmsNormEps, config.RopeInterleave);
        long[] positions = [.. Enumerable.Range(0, tokens).Select(t => (long)t)], mask = [.. Enumerable.Repeat(1L, tokens)];
        float[] norm = weights[p + "kv_a_layernorm.weight"], expand = weights[p + "kv_b_proj.weight"];
        var (heads, _) = attention.Forward(q, kv, norm, expand, positions, mask, past: [], batch: 1);
        return ReferenceMath.Linear(heads, weights[p + "o_proj.weight"], config.NumAttentionHeads * config.VHeadDim);
    }

    private double[] MultiHead(double[] x, string p)
    {
        int d = config.HiddenSize;
        int heads = config.NumAttentionHeads, width = config.MultiHeadDim;
        var attention = new ReferenceMultiHeadAttention(heads, config.NumKeyValueHeads, width, config.RopeTheta);
        double[] Project(string name) => ReferenceMath.Linear(x, weights[p + name + ".weight"], d);
        double[] sums = attention.Forward(Project("q_proj"), Project("k_proj"), Project("v_proj"));
        return ReferenceMath.Linear(sums, weights[p + "o_proj.weight"], heads * width);
    }

    private double[] Dense(double[] x, string p) => [.. Rows(x).SelectMany(row => SwiGlu(row, p))];

    private double[] Experts(double[] x, string p)
    {
        // A single chosen expert keeps its own score, as DeepSeek's modelling code has it.
        var router = new ReferenceRouter(config.NumExpertsPerTok, config.ScoringFunc, config.NormTopkProb && config.NumExpertsPerTok > 1,
            config.RoutedScalingFactor, config.NGroup, config.TopkGroup, config.TopkMethod);
        float[] gate = weights[p + "gate.weight"];
        float[] bias = weights.TryGetValue(p + "gate.e_score_correction_bias", out var found) ? found : new float[config.NRoutedExperts];
        var y = new List<double>();
        Chosen.Add([]);
        foreach (double[] row in Rows(x))
        {
            var (experts, shares) = router.Choose(row, gate, bias, position: 0);
            Chosen[^1].Add(experts);
            double[] sum = config.NSharedExperts > 0 ? SwiGlu(row, p + "shared_experts.") : new double[row.Length];
            for (int s = 0; s < experts.Length; s++)
            {
                double share = shares[s];
                sum = ReferenceMath.Add(sum, Array.ConvertAll(SwiGlu(row, $"{p}experts.{experts[s]}."), v => v * share));
            }
            y.AddRange(sum);
        }
        return [.. y];
    }

    private double[] SwiGlu(double[] row, string p) =>
        ReferenceMath.SwiGlu(row, weights[p + "gate_proj.weight"], weights[p + "up_proj.weight"], weights[p + "down_proj.weight"]);

    private IEnumerable<double[]> Rows(double[] x) => x.Chunk(config.HiddenSize);
}
