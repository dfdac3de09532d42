using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>
/// Chooses experts: x [N, d], gate [E, d], bias [E], position_ids [N] → experts int32 [N, k], weights [N, k].
/// The choice goes by score + bias, the weights come from the scores alone (arXiv 2408.15664); equal scores go to the lower
/// index. A token at position −1 gets experts −1 and weights 0. x is of the type of the activations, all else float32.
/// </summary>
internal sealed class MoERouter : Operator
{
    // Below every score + bias, and finite.
    private const double Excluded = -3e38;
    private readonly int experts;
    private readonly DataType activations;

    public MoERouter(ModelConfig config, DataType activations = DataType.Float)
    {
        this.activations = activations;
        experts = config.NRoutedExperts;
        TopK = config.NumExpertsPerTok;
        ScoringFunc = config.ScoringFunc;
        (NormTopkProb, RoutedScalingFactor) = (config.NormalisesWeights, config.WeightFactor);
        (NGroup, TopkGroup, TopkMethod) = (config.NGroup, config.TopkGroup, config.TopkMethod);
    }

    public int TopK { get; }
    public string ScoringFunc { get; }
    public bool NormTopkProb { get; }
    public double RoutedScalingFactor { get; }
    public int NGroup { get; }
    public int TopkGroup { get; }
    public string TopkMethod { get; }

    public override string Name => "MoERouter";
    public override IReadOnlyList<string> Inputs => ["x", "gate", "bias", "position_ids"];
    public override IReadOnlyList<string> Outputs => ["experts", "weights"];

    public override IReadOnlyList<AttributeProto> Attributes =>
    [
        NodeAttribute.Int("top_k", TopK),
        NodeAttribute.Text("scoring_func", ScoringFunc),
        NodeAttribute.Flag("norm_topk_prob", NormTopkProb),
        NodeAttribute.Float("routed_scaling_factor", RoutedScalingFactor),
        NodeAttribute.Int("n_group", NGroup),
        NodeAttribute.Int("topk_group", TopkGroup),
        NodeAttribute.Text("topk_method", TopkMethod),
    ];

    protected override string[] Body(NodeList f)
    {
        string logits = f.MatMul(f.Widen("x", activations), f.Transpose("gate", 1, 0)); // (N, E)
        string scores = ScoringFunc == "softmax" ? f.Softmax(logits) : f.Sigmoid(logits);
        string choice = f.Add(scores, "bias");
        if (NGroup > 1 && TopkMethod != "greedy")
        {
            choice = BestGroups(f, choice);
        }
        string index = f.TopK(choice, TopK, axis: 1).Indices; // (N, k)
        string weights = f.GatherElements(scores, index, axis: 1);
        if (NormTopkProb)
        {
            weights = f.Div(weights, f.Add(f.ReduceSum(weights, keep: true, 1), f.Float(1e-20)));
        }
        if (RoutedScalingFactor != 1)
        {
            weights = f.Mul(weights, f.Float(RoutedScalingFactor));
        }
        string live = f.Unsqueeze(f.GreaterOrEqual("position_ids", f.Int(0)), 1); // (N, 1)
        return [f.Cast(f.Where(live, index, f.Int(-1)), DataType.Int32), f.Where(live, weights, f.Float(0))];
    }

    // Leaves only the experts of the topk_group best groups. DeepSeek-V3 (noaux_tc) scores a group by the sum of its two best
    // experts, DeepSeek-V2 (group_limited_greedy) by its best one.
    private string BestGroups(NodeList f, string choice)
    {
        string grouped = f.Reshape(choice, -1, NGroup, experts / NGroup); // (N, G, E/G)
        string score = TopkMethod == "noaux_tc"
            ? f.ReduceSum(f.TopK(grouped, 2, axis: 2).Values, keep: false, 2)
            : f.ReduceMax(grouped, keep: false, 2);
        string kept = f.Unsqueeze(f.TopK(score, TopkGroup, axis: 1).Indices, 2); // (N, topk_group, 1)
        string all = f.Ints([.. Enumerable.Range(0, NGroup).Select(g => (long)g)]);
        string hits = f.ReduceMax(f.Cast(f.Equal(kept, all), DataType.Float), keep: false, 1); // (N, G)
        string mask = f.Unsqueeze(f.Cast(hits, DataType.Bool), 2);
        return f.Reshape(f.Where(mask, grouped, f.Float(Excluded)), -1, experts);
    }
}
