using System.Text.Json.Nodes;

namespace LatentMoE.Tests.Support.Field;

/// <summary>
/// The experts of one token, as DeepSeek's modelling code chooses them. V2: softmax, the best experts of all or of the groups with the
/// best single ones; weights are normalised or scaled, never both. V3: sigmoid, choice by score + bias among the groups with the best
/// two together; weights are scaled always.
/// </summary>
internal sealed class RouterReference(JsonObject config)
{
    private readonly bool second = (string)config["model_type"]! == "deepseek_v2";

    /// <param name="logits">Of every expert.</param>
    /// <param name="bias">Of the choice; null for none.</param>
    public IEnumerable<(int Expert, double Share)> Choose(double[] logits, double[]? bias)
    {
        double largest = logits.Max(), total = logits.Sum(l => Math.Exp(l - largest));
        string scoring = (string?)config["scoring_func"] ?? (second ? "softmax" : "sigmoid");
        double[] scores = [.. logits.Select(l => scoring == "softmax" ? Math.Exp(l - largest) / total : 1 / (1 + Math.Exp(-l)))];
        double[] choice = [.. scores.Select((s, e) => s + (bias?[e] ?? 0))];
        string method = (string?)config["topk_method"] ?? (second ? "greedy" : "noaux_tc");
        int groups = (int?)config["n_group"] ?? 1;
        if (method != "greedy" && groups > 1)
        {
            int size = choice.Length / groups;
            double[] worth = [.. choice.Chunk(size).Select(g => g.OrderDescending().Take(method == "noaux_tc" ? 2 : 1).Sum())];
            var open = Enumerable.Range(0, groups).OrderByDescending(g => worth[g]).Take((int)config["topk_group"]!).ToHashSet();
            choice = [.. choice.Select((c, e) => open.Contains(e / size) ? c : double.NegativeInfinity)];
        }
        int count = (int)config["num_experts_per_tok"]!;
        int[] chosen = [.. Enumerable.Range(0, choice.Length).OrderByDescending(e => choice[e]).Take(count)];
        bool normalise = ((bool?)config["norm_topk_prob"] ?? !second) && count > 1;
        double scale = second && normalise ? 1 : (double?)config["routed_scaling_factor"] ?? 1;
        double sum = normalise ? chosen.Sum(e => scores[e]) : 1;
        return chosen.Select(e => (e, scores[e] / sum * scale));
    }
}
