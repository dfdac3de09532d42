using System.Numerics;
using System.Text.Json.Nodes;

namespace LatentMoE.Tests.Support.Field;

/// <summary>
/// A decoder of the DeepSeek-V2 and V3 families in float64 and plain loops, one token after the other, from config.json as it stands
/// in the file and from the numbers of the tensors. It follows the published equations alone and shares no code with the rest:
/// latent attention, arXiv 2405.04434 equations 9 to 19; routing, the same 20 to 22 and arXiv 2412.19437 equations 12 to 16; rotary
/// positions, arXiv 2104.09864 equation 12; YaRN, arXiv 2309.00071, with the bounds and magnitudes of the modelling code that DeepSeek
/// published beside its weights; RMSNorm, arXiv 1910.07467; SwiGLU, arXiv 2002.05202.
/// </summary>
/// <param name="config">config.json.</param>
/// <param name="weights">Row-major numbers under the names of the checkpoint.</param>
public sealed class DeepSeekReference(JsonObject config, IReadOnlyDictionary<string, double[]> weights)
{
    private readonly int width = (int)config["hidden_size"]!, heads = (int)config["num_attention_heads"]!, rank = (int)config["kv_lora_rank"]!,
        nope = (int)config["qk_nope_head_dim"]!, rope = (int)config["qk_rope_head_dim"]!, value = (int)config["v_head_dim"]!;

    private readonly double epsilon = (double)config["rms_norm_eps"]!;
    private readonly RotaryReference rotary = new(config);
    private readonly RouterReference router = new(config);

    /// <summary>For every token the logits of the next one, [T][V].</summary>
    public double[][] Logits(IReadOnlyList<long> ids)
    {
        int layers = (int)config["num_hidden_layers"]!;
        var latents = new List<(double[] Latent, Complex[] Key)>[layers]; // What a cache would hold.
        var result = new double[ids.Count][];
        for (int t = 0; t < ids.Count; t++)
        {
            double[] h = weights["model.embed_tokens.weight"].AsSpan((int)ids[t] * width, width).ToArray();
            for (int layer = 0; layer < layers; layer++)
            {
                string p = $"model.layers.{layer}.";
                Add(h, Attend(Norm(h, p + "input_layernorm", epsilon), p + "self_attn.", latents[layer] ??= [], t));
                Add(h, FeedForward(Norm(h, p + "post_attention_layernorm", epsilon), p + "mlp.", layer));
            }
            bool tied = (bool?)config["tie_word_embeddings"] ?? false;
            result[t] = Multiply(tied ? "model.embed_tokens" : "lm_head", Norm(h, "model.norm", epsilon));
        }
        return result;
    }

    private double[] Attend(double[] h, string p, List<(double[] Latent, Complex[] Key)> past, int t)
    {
        const double LatentEpsilon = 1e-6; // Both norms of latents are made without rms_norm_eps in the published code.
        double[] q = config["q_lora_rank"] is null ? Multiply(p + "q_proj", h)
            : Multiply(p + "q_b_proj", Norm(Multiply(p + "q_a_proj", h), p + "q_a_layernorm", LatentEpsilon));
        double[] compressed = Multiply(p + "kv_a_proj_with_mqa", h);
        past.Add((Norm(compressed[..rank], p + "kv_a_layernorm", LatentEpsilon), rotary.Turn(compressed[rank..], t)));
        var joined = new double[heads * value];
        double[][] expanded = [.. past.Select(token => Multiply(p + "kv_b_proj", token.Latent))];
        for (int head = 0; head < heads; head++)
        {
            int query = head * (nope + rope), key = head * (nope + value);
            var turned = rotary.Turn(q[(query + nope)..(query + nope + rope)], t);
            var scores = new double[past.Count];
            for (int j = 0; j < past.Count; j++)
            {
                for (int i = 0; i < nope; i++)
                {
                    scores[j] += q[query + i] * expanded[j][key + i];
                }
                for (int i = 0; i < turned.Length; i++)
                {
                    // The inner product of two pairs of numbers.
                    scores[j] += (turned[i] * Complex.Conjugate(past[j].Key[i])).Real;
                }
                scores[j] *= rotary.ScoreFactor / Math.Sqrt(nope + rope);
            }
            double largest = scores.Max(), total = scores.Sum(s => Math.Exp(s - largest));
            for (int j = 0; j < past.Count; j++)
            {
                for (int i = 0; i < value; i++)
                {
                    joined[head * value + i] += Math.Exp(scores[j] - largest) / total * expanded[j][key + nope + i];
                }
            }
        }
        return Multiply(p + "o_proj", joined);
    }

    private double[] FeedForward(double[] u, string p, int layer)
    {
        if (layer < (int)config["first_k_dense_replace"]!)
        {
            return SwiGlu(u, p);
        }
        double[] y = (int?)config["n_shared_experts"] > 0 ? SwiGlu(u, p + "shared_experts.") : new double[width];
        double[]? bias = weights.GetValueOrDefault(p + "gate.e_score_correction_bias");
        foreach (var (expert, share) in router.Choose(Multiply(p + "gate", u), bias))
        {
            Add(y, [.. SwiGlu(u, $"{p}experts.{expert}.").Select(v => share * v)]);
        }
        return y;
    }

    private double[] SwiGlu(double[] u, string p)
    {
        double[] gate = Multiply(p + "gate_proj", u), up = Multiply(p + "up_proj", u);
        return Multiply(p + "down_proj", [.. gate.Select((g, i) => g / (1 + Math.Exp(-g)) * up[i])]);
    }

    private double[] Multiply(string name, double[] x)
    {
        double[] matrix = weights[name + ".weight"];
        var y = new double[matrix.Length / x.Length];
        for (int row = 0; row < y.Length; row++)
        {
            for (int i = 0; i < x.Length; i++)
            {
                y[row] += matrix[row * x.Length + i] * x[i];
            }
        }
        return y;
    }

    private double[] Norm(double[] x, string name, double small)
    {
        double[] gain = weights[name + ".weight"];
        double root = Math.Sqrt(x.Sum(v => v * v) / x.Length + small);
        return [.. x.Select((v, i) => v / root * gain[i])];
    }

    private static void Add(double[] sum, double[] more)
    {
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] += more[i];
        }
    }
}
