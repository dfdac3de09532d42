using LatentMoE.Export.Onnx;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;
using static LatentMoE.Operators.Tests.RawNodes;

namespace LatentMoE.Operators.Tests;

/// <summary>Nodes and inputs that are wrong get an error that names the node and the values, never a crash.</summary>
public sealed class MalformedNodeTests
{
    internal static readonly Dictionary<string, (RawNode Node, string[] Says)> Cases = new()
    {
        ["Linear: x without axes"] = (Linear().With("x"), ["x has the shape ()", "in > 0"]),
        ["Linear: x of width 0"] = (Linear().With("x", 3, 0), ["x has the shape (3, 0)"]),
        ["Linear: weight of another width"] = (Linear().With("weight", 8, 31), ["weight", "(8, 31)", "in = 32"]),
        ["Linear: weight of three axes"] = (Linear().With("weight", 1, 8, 32), ["weight", "(1, 8, 32)"]),
        ["Linear: weight without rows"] = (Linear().With("weight", 0, 32), ["weight", "(0, 32)", "out > 0"]),
        ["Linear: nine axes"] = (Linear().With("x", 1, 1, 1, 1, 1, 1, 1, 1, 32), ["9 axes", "at most 8"]),
        ["LinearInt8: width no multiple of the block"] =
            (Linear(DataType.Int8).With("x", 3, 48).With("weight", 8, 48), ["48 columns", "multiple of block_size 32"]),
        ["LinearInt8: scales of another width"] = (Linear(DataType.Int8).With("scales", 8, 2), ["scales", "(8, 2)", "blocks = 1"]),
        ["LinearInt8: scales of other rows"] = (Linear(DataType.Int8).With("scales", 7, 1), ["scales", "(7, 1)", "out = 8"]),
        ["LinearInt8: block_size out of range"] = (Linear(DataType.Int8).With(NodeAttribute.Int("block_size", 0)), ["block_size is 0", "16 to 32"]),
        ["LinearInt8: block_size of no format"] = (Linear(DataType.Int8).With(NodeAttribute.Int("block_size", 24)), ["block_size is 24", "16 or 32"]),
        ["LinearInt8: no block_size"] = (Linear(DataType.Int8).Without("block_size"), ["block_size is missing"]),
        ["LinearInt4: weight as wide as int8"] = (Linear(DataType.Uint8).With("weight", 8, 32), ["weight", "(8, 32)", "bytes = 16"]),

        ["MoERouter: top_k 0"] = (Router().With(NodeAttribute.Int("top_k", 0)), ["top_k is 0"]),
        ["MoERouter: top_k beyond the experts"] = (Router().With(NodeAttribute.Int("top_k", 7)), ["top_k is 7", "6 experts"]),
        ["MoERouter: n_group no divisor"] = (Router().With(NodeAttribute.Int("n_group", 4)), ["n_group is 4", "6 experts"]),
        ["MoERouter: groups of one"] = (Router().With(NodeAttribute.Int("n_group", 6)), ["n_group is 6", "half of the 6"]),
        ["MoERouter: topk_group beyond n_group"] = (Router().With(NodeAttribute.Int("topk_group", 4)), ["topk_group is 4", "n_group, which is 3"]),
        ["MoERouter: unknown scoring_func"] = (Router().With(NodeAttribute.Text("scoring_func", "relu")), ["scoring_func is 'relu'", "sigmoid, softmax"]),
        ["MoERouter: unknown topk_method"] = (Router().With(NodeAttribute.Text("topk_method", "best")), ["topk_method is 'best'", "noaux_tc"]),
        ["MoERouter: factor NaN"] = (Router().With(NodeAttribute.Float("routed_scaling_factor", double.NaN)), ["routed_scaling_factor is", "nan", "finite"]),
        ["MoERouter: flag 2"] = (Router().With(NodeAttribute.Int("norm_topk_prob", 2)), ["norm_topk_prob is 2", "0 to 1"]),
        ["MoERouter: top_k a text"] = (Router().With(NodeAttribute.Text("top_k", "3")), ["top_k is missing or is no integer"]),
        ["MoERouter: gate of another width"] = (Router().With("gate", 6, 31), ["gate", "(6, 31)", "d = 32"]),
        ["MoERouter: bias of another length"] = (Router().With("bias", 5), ["bias", "(5)", "experts = 6"]),
        ["MoERouter: positions of fewer tokens"] = (Router().With("position_ids", 3), ["position_ids", "(3)", "tokens = 4"]),
        ["MoERouter: positions of two axes"] = (Router().With("position_ids", 1, 4), ["position_ids", "(1, 4)"]),
        ["MoERouter: x of three axes"] = (Router().With("x", 1, 4, 32), ["x", "(1, 4, 32)"]),
        ["MoERouter: no experts"] = (Router().With("gate", 0, 32), ["gate", "(0, 32)"]),

        ["SelectToken: logits of three axes"] = (Select().With("logits", 2, 1, 16), ["logits", "(2, 1, 16)"]),
        ["SelectToken: no vocabulary"] = (Select().With("logits", 2, 0), ["logits", "(2, 0)", "vocabulary > 0"]),
        ["SelectToken: limits of fewer rows"] = (Select().With("top_p", 1), ["top_p", "(1)", "batch = 2"]),
        ["SelectToken: positions of one axis"] = (Select().With("positions", 2), ["positions", "(2)", "batch = 2"]),

        ["MoEExperts: expert beyond the last"] = (MoE().With("experts", Tensor.Of([0, 5, 1, -1, 0, 6, 2, 3], 4, 2)), ["experts[2, 1] is 6", "to 5"]),
        ["MoEExperts: expert below -1"] = (MoE().With("experts", Tensor.Of([0, 5, -2, -1, 0, 1, 2, 3], 4, 2)), ["experts[1, 0] is -2"]),
        ["MoEExperts: expert int32 minimum"] = (MoE().With("experts", Tensor.Of([int.MinValue, 5, 1, -1, 0, 1, 2, 3], 4, 2)), ["is -2147483648"]),
        ["MoEExperts: weights of fewer slots"] = (MoE().With("weights", 4, 1), ["weights", "(4, 1)", "k = 2"]),
        ["MoEExperts: experts of fewer tokens"] = (MoE().With("experts", 3, 2), ["experts", "(3, 2)", "tokens = 4"]),
        ["MoEExperts: no slots"] = (MoE().With("experts", 4, 0), ["experts", "(4, 0)"]),
        ["MoEExperts: gate_up of odd rows"] = (MoE().With("gate_up", 6, 63, 32), ["gate_up", "(6, 63, 32)", "even"]),
        ["MoEExperts: gate_up of two axes"] = (MoE().With("gate_up", 64, 32), ["gate_up", "(64, 32)"]),
        ["MoEExperts: gate_up of one axis"] = (MoE().With("gate_up", 64), ["gate_up", "(64)"]),
        ["MoEExperts: no experts"] = (MoE().With("gate_up", 0, 64, 32), ["gate_up", "(0, 64, 32)"]),
        ["MoEExperts: down of other experts"] = (MoE().With("down", 5, 32, 32), ["down", "(5, 32, 32)", "experts = 6"]),
        ["MoEExperts: down of another hidden width"] = (MoE().With("down", 6, 32, 31), ["down", "(6, 32, 31)", "I = 32"]),
        ["MoEExperts: shared_down alone"] = (MoE().WithoutInput("shared_gate_up"), ["shared_gate_up is absent"]),
        ["MoEExperts: shared_gate_up alone"] = (MoE().WithoutInput("shared_down"), ["shared_down is absent"]),
        ["MoEExperts: shared_down of another width"] = (MoE().With("shared_down", 32, 63), ["shared_down", "(32, 63)", "Is = 64"]),
        ["MoEExpertsInt8: scales of other experts"] =
            (MoE(DataType.Int8).With("gate_up_scales", 5, 64, 1), ["gate_up_scales", "(5, 64, 1)", "experts = 6"]),
        ["MoEExpertsInt4: down's scales absent"] = (MoE(DataType.Uint8, shared: false).With("down_scales", 6, 32), ["down_scales", "(6, 32)"]),

        ["AddRmsNorm: negative epsilon"] = (AddNorm().With(NodeAttribute.Float("epsilon", -1e-6)), ["epsilon is -1e-06", "0 or more"]),
        ["AddRmsNorm: infinite epsilon"] = (AddNorm().With(NodeAttribute.Float("epsilon", double.PositiveInfinity)), ["epsilon is inf", "finite"]),
        ["AddRmsNorm: no epsilon"] = (AddNorm().Without("epsilon"), ["epsilon is missing"]),
        ["AddRmsNorm: x of another width"] = (AddNorm().With("x", 3, 64), ["x has the shape (3, 64)", "6 rows of 32"]),
        ["AddRmsNorm: x of fewer tokens"] = (AddNorm().With("x", 5, Width), ["x has the shape (5, 32)", "6 rows of 32", "(2, 3, 32)"]),
        ["AddRmsNorm: x without axes"] = (AddNorm().With("x"), ["x has the shape ()", "6 rows of 32"]),
        ["AddRmsNorm: residual without axes"] = (AddNorm().With("residual"), ["residual has the shape ()", "d > 0"]),
        ["AddRmsNorm: residual of width 0"] = (AddNorm().With("residual", 2, 3, 0), ["residual has the shape (2, 3, 0)", "d > 0"]),
        ["AddRmsNorm: gain of another width"] = (AddNorm().With("gain", 31), ["gain", "(31)", "d = 32"]),
        ["AddRmsNorm: gain of two axes"] = (AddNorm().With("gain", 1, Width), ["gain", "(1, 32)", "d = 32"]),

        ["LatentAttention: no heads"] = (Attention().With(NodeAttribute.Int("num_heads", 0)), ["num_heads is 0"]),
        ["LatentAttention: huge heads"] = (Attention().With(NodeAttribute.Int("num_heads", long.MaxValue)), ["num_heads is 9223372036854775807"]),
        ["LatentAttention: odd rope"] = (Attention().With(NodeAttribute.Int("qk_rope_head_dim", 5)), ["qk_rope_head_dim is 5", "even"]),
        ["LatentAttention: odd rank"] = (Attention().With(NodeAttribute.Int("kv_lora_rank", 11)), ["kv_lora_rank is 11", "even"]),
        ["LatentAttention: negative epsilon"] = (Attention().With(NodeAttribute.Float("epsilon", -1)), ["epsilon is -1"]),
        ["LatentAttention: infinite scale"] = (Attention().With(NodeAttribute.Float("scale", double.PositiveInfinity)), ["scale is inf"]),
        ["LatentAttention: other heads than q"] = (Attention().With(NodeAttribute.Int("num_heads", 3)), ["q has the shape (2, 3, 16)", "H(dn+dr) = 24"]),
        ["LatentAttention: q of other rows"] = (Attention().With("q", 1, 3, 16), ["q", "(1, 3, 16)", "batch = 2"]),
        ["LatentAttention: kv of another width"] = (Attention().With("kv", 2, 3, 15), ["kv", "(2, 3, 15)", "r+dr = 16"]),
        ["LatentAttention: kv_norm of another width"] = (Attention().With("kv_norm", 11), ["kv_norm", "(11)", "r = 12"]),
        ["LatentAttention: kv_b transposed"] = (Attention().With("kv_b", 12, 20), ["kv_b", "(12, 20)", "H(dn+dv) = 20"]),
        ["LatentAttention: sin shorter than cos"] = (Attention().With("sin", 23, 2), ["sin", "(23, 2)", "positions = 24"]),
        ["LatentAttention: mask of other rows"] = (Attention().With("attention_mask", 1, 8), ["attention_mask", "(1, 8)", "batch = 2"]),
        ["LatentAttention: mask shorter than the tokens"] = (Attention().With("attention_mask", 2, 2), ["attention_mask has 2 columns", "3 tokens"]),
        ["LatentAttention: mask without columns"] = (Attention().With("attention_mask", 2, 0), ["attention_mask", "(2, 0)"]),
        ["LatentAttention: no rows"] = (Attention().With("position_ids", 0, 3), ["position_ids", "(0, 3)"]),
        ["LatentAttention: no tokens"] = (Attention().With("position_ids", 2, 0), ["position_ids", "(2, 0)"]),
        ["LatentAttention: past of two heads"] = (Attention().With("past_key", 2, 2, 5, 8), ["past_key", "(2, 2, 5, 8)"]),
        ["LatentAttention: past of another width"] = (Attention().With("past_key", 2, 1, 5, 7), ["past_key", "(2, 1, 5, 7)", "w/2 = 8"]),
        ["LatentAttention: past_value shorter"] = (Attention().With("past_value", 2, 1, 4, 8), ["past_value", "(2, 1, 4, 8)", "past = 5"]),
        ["LatentAttention: position beyond the tables"] =
            (Attention().With("position_ids", Tensor.Of([5L, 6, 7, 2, 24, -1], 2, 3)), ["position_ids[1, 1] is 24", "less than 24"]),
        ["LatentAttention: position int64 maximum"] =
            (Attention().With("position_ids", Tensor.Of([long.MaxValue, 6, 7, 2, 3, -1], 2, 3)), ["position_ids[0, 0] is 9223372036854775807"]),
        ["LatentAttention: live position beyond the cache"] =
            (Attention().With("position_ids", Tensor.Of([5L, 6, 8, 2, 3, -1], 2, 3)), ["position_ids[0, 2] is 8", "less than 8", "cache"]),
    };

    public static TheoryData<string> Malformed { get; } = [.. Cases.Keys];

    public static TheoryData<string> Valid { get; } = [.. All.Keys];

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Node_Malformed_FailsWithNodeAndValues(string name)
    {
        var (node, says) = Cases[name];
        foreach (bool constants in new[] { false, true })
        {
            var error = Assert.ThrowsAny<OnnxRuntimeException>(() => (node with { Constants = constants }).Run());
            Assert.Contains($"latentmoe.{node.Op} '{RawNode.Name}'", error.Message);
            Assert.All(says, part => Assert.Contains(part, error.Message));
        }
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void Node_Valid_RunsWithFedAndConstantInputs(string name)
    {
        Tensor[] fed = All[name].Run(), constant = (All[name] with { Constants = true }).Run();
        Assert.All(fed.Zip(constant), pair => Assert.Equal(pair.First.Bytes, pair.Second.Bytes));
        Assert.All(fed.Where(t => t.Type is not (DataType.Int32 or DataType.Int64)), t => Assert.All(t.Floats, value => Assert.True(float.IsFinite(value), $"{name}: {value}")));
    }

    [Fact]
    public void Node_NoTokens_GivesNoRows()
    {
        Assert.Equal([2, 0, 8], Linear().With("x", 2, 0, 32).Run()[0].Shape);
        Assert.Equal([0, 3], Router().With("x", 0, 32).With("position_ids", 0).Run()[0].Shape);
        Assert.All(AddNorm().With("x", 0, Width).With("residual", 2, 0, Width).Run(), output => Assert.Equal([2, 0, 32], output.Shape));
        Assert.Equal([0, 1], Select().With("logits", 0, 16).With("temperature", 0).With("top_k", 0).With("top_p", 0).With("min_p", 0).With("uniform", 0).With("positions", 0, 1).Run()[0].Shape);
        Assert.Equal([0, 32], MoE().With("x", 0, 32).With("experts", 0, 2).With("weights", 0, 2).Run()[0].Shape);
    }

    [Theory]
    [InlineData(0L, 7L)] // not in the mask, in the cache
    [InlineData(0L, 23L)] // not in the mask, beyond the cache
    [InlineData(1L, long.MinValue)]
    public void LatentAttention_DeadToken_NeedsNoColumn(long mask, long position)
    {
        long[] all = [.. Enumerable.Repeat(1L, 8), .. Enumerable.Repeat(1L, 7), mask];
        Tensor[] outputs = Attention().With("attention_mask", Tensor.Of(all, 2, 8)).With("position_ids", Tensor.Of([5L, 6, 7, 2, 3, position], 2, 3)).Run();
        Assert.All(outputs[0].Floats, value => Assert.True(float.IsFinite(value)));
        // Column 2 and 3 of the second row are written, the others are not.
        float[] key = outputs[1].Floats;
        Assert.Equal([2, 3], Enumerable.Range(0, 8).Where(column => key.Skip((8 + column) * 8).Take(8).Any(value => value != 0)));
    }

    [Theory]
    [InlineData("sigmoid")]
    [InlineData("softmax")]
    public void MoERouter_NaN_ChoosesEveryExpertAtMostOnce(string scoring)
    {
        foreach (int row in Enumerable.Range(0, 6).Append(-1))
        {
            var gate = Router()["gate"].Floats;
            Array.Fill(gate, float.NaN, Math.Max(row, 0) * 32, row < 0 ? gate.Length : 32); // one expert's row, or all
            Tensor[] outputs = Router().With("gate", Tensor.Of(gate, 6, 32)).With(NodeAttribute.Text("scoring_func", scoring)).Run();
            foreach (int[] chosen in outputs[0].Ints.Chunk(3).Where((_, token) => token != 2))
            {
                Assert.Equal(3, chosen.Distinct().Count());
                Assert.All(chosen, expert => Assert.InRange(expert, 0, 5));
                Assert.True(scoring == "softmax" || row < 0 || !chosen.Contains(row), $"NaN of expert {row} was chosen: {string.Join(", ", chosen)}");
            }
            Assert.Equal([-1, -1, -1], outputs[0].Ints[6..9]);
        }
    }
}
