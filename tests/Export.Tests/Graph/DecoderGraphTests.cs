using System.Globalization;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Onnx;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Graph;

/// <summary>The contract of the operators, read back from built models.</summary>
public sealed class DecoderGraphTests
{
    public static TheoryData<string> All => new(TestConfigs.All.Keys);

    public static TheoryData<string> Latent => new(TestConfigs.All.Where(c => c.Value.IsLatent).Select(c => c.Key));

    [Theory]
    [MemberData(nameof(All))]
    public void Model_ImportsExactlyTheOperatorSetsOfTheContract(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        var expected = new Dictionary<string, long> { [""] = 18, ["latentmoe"] = 1 };
        if (!exported.Config.IsLatent)
        {
            expected.Add("com.microsoft", 1);
        }
        Assert.Equal(8, exported.Model.IrVersion);
        Assert.Equal(expected, exported.Model.OpsetImport.ToDictionary(o => o.Domain, o => o.Version));
        Assert.All(exported.Model.Functions, f => Assert.Equal([("", 18L)], f.OpsetImport.Select(o => (o.Domain, o.Version))));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Bodies_UseStandardOperatorsAloneAndReferToNoAttribute(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        foreach (var function in exported.Model.Functions)
        {
            foreach (var node in Nodes(function.Node))
            {
                Assert.Equal("", node.Domain);
                Assert.All(node.Attribute, a => Assert.False(a.HasRefAttrName));
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Functions_CoverEveryOperatorInUseAndNoMore(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        var used = exported.Model.Graph.Node.Where(n => n.Domain == "latentmoe").Select(n => n.OpType).Distinct().Order();
        Assert.Equal(used, exported.Model.Functions.Select(f => f.Name).Order());
    }

    [Theory]
    [MemberData(nameof(Latent))]
    public void LatentModels_AreFreeOfVendorOperators(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        Assert.All(exported.Model.Graph.Node, n => Assert.Contains(n.Domain, new[] { "", "latentmoe" }));
    }

    [Fact]
    public void Router_HasTheInputsAndAttributesOfTheTable()
    {
        using var exported = new ExportedModel(TestConfigs.Groups);
        var node = First(exported, "MoERouter");
        Assert.Equal(["x", "gate", "bias", "position_ids"], Function(exported, "MoERouter").Input);
        Assert.Equal("model.layers.0.mlp.gate.weight", node.Input[1]);
        Assert.Equal("model.layers.0.mlp.gate.e_score_correction_bias", node.Input[2]);
        Assert.Equal(2, node.Output.Count);
        Assert.Equal(new Dictionary<string, object>
        {
            ["top_k"] = 3L, ["scoring_func"] = "sigmoid", ["norm_topk_prob"] = 1L, ["routed_scaling_factor"] = 1.5f, ["n_group"] = 4L, ["topk_group"] = 2L, ["topk_method"] = "noaux_tc",
        }, Attributes(node));
        AssertDeclared(exported, node);
    }

    [Fact]
    public void Router_OfASingleExpert_DoesNotNormalise()
    {
        using var exported = new ExportedModel(TestConfigs.TopOne);
        Assert.Equal(0L, Attributes(First(exported, "MoERouter"))["norm_topk_prob"]);
    }

    [Fact]
    public void Experts_HaveTheInputsOfTheTable()
    {
        using var exported = new ExportedModel(TestConfigs.LatentMoE);
        var node = First(exported, "MoEExperts");
        Assert.Equal(["x", "experts", "weights", "gate_up", "down", "shared_gate_up", "shared_down"], Function(exported, "MoEExperts").Input);
        Assert.Equal(First(exported, "MoERouter").Output, node.Input.Skip(1).Take(2));
        Assert.Equal([[8, 40, 48], [8, 48, 20], [80, 48], [48, 40]], node.Input.Skip(3).Select(name => Initializer(exported, name).Dims.ToArray()));
        Assert.Empty(node.Attribute);
    }

    [Fact]
    public void Experts_WithoutSharedOnes_HaveFiveInputs()
    {
        using var exported = new ExportedModel(TestConfigs.NoSharedExperts);
        Assert.Equal(5, First(exported, "MoEExperts").Input.Count);
        Assert.Equal(5, Function(exported, "MoEExperts").Input.Count);
    }

    [Fact]
    public void Attention_HasTheInputsAndAttributesOfTheTable()
    {
        using var exported = new ExportedModel(TestConfigs.LatentMoE);
        var node = First(exported, "LatentAttention");
        Assert.Equal(["q", "kv", "kv_norm", "kv_b", "cos", "sin", "position_ids", "attention_mask", "past_key", "past_value"], Function(exported, "LatentAttention").Input);
        Assert.Equal(["out", "present_key", "present_value"], Function(exported, "LatentAttention").Output);
        Assert.Equal(
        [
            "model.layers.0.self_attn.kv_a_layernorm.weight", "model.layers.0.self_attn.kv_b_proj.weight", "rotary.cos", "rotary.sin",
            "position_ids", "attention_mask", "past_key_values.0.key", "past_key_values.0.value",
        ], node.Input.Skip(2));
        Assert.Equal(["present.0.key", "present.0.value"], node.Output.Skip(1));
        var attributes = Attributes(node);
        Assert.Equal(1 / Math.Sqrt(20), (float)attributes["scale"], 1e-7);
        Assert.Equal(1e-6f, attributes["epsilon"]);
        attributes.Remove("scale");
        attributes.Remove("epsilon");
        Assert.Equal(new Dictionary<string, object>
        {
            ["num_heads"] = 3L, ["qk_nope_head_dim"] = 12L, ["qk_rope_head_dim"] = 8L, ["v_head_dim"] = 16L, ["kv_lora_rank"] = 24L, ["rope_interleave"] = 1L,
        }, attributes);
        AssertDeclared(exported, node);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Interface_HasTheNamesAndSymbolsThatDecoderLoopsExpect(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        var (heads, width) = exported.Config.CacheShape;
        var inputs = exported.Model.Graph.Input.ToDictionary(i => i.Name, Shape);
        Assert.Equal("batch,sequence", inputs["input_ids"]);
        Assert.Equal("batch,total", inputs["attention_mask"]);
        Assert.Equal("batch,sequence", inputs["position_ids"]);
        Assert.Equal("", inputs["num_logits_to_keep"]);
        Assert.Equal($"batch,kept,{exported.Config.VocabSize}", Shape(exported.Model.Graph.Output[0]));
        string[] cache = [.. Enumerable.Range(0, exported.Config.NumHiddenLayers).SelectMany(layer => new[] { $"{layer}.key", $"{layer}.value" })];
        Assert.Equal(4 + cache.Length, inputs.Count);
        Assert.All(cache, c => Assert.Equal($"batch,{heads},past,{width}", inputs["past_key_values." + c]));
        Assert.Equal(["logits", .. cache.Select(c => "present." + c)], exported.Model.Graph.Output.Select(o => o.Name));
        Assert.All(exported.Model.Graph.Output.Skip(1), o => Assert.Equal($"batch,{heads},present,{width}", Shape(o)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Weights_AreAllInTheDataFileAlignedAndApart(string name)
    {
        using var exported = new ExportedModel(TestConfigs.All[name]);
        long end = 0;
        foreach (var tensor in exported.Model.Graph.Initializer.Where(t => t.Name != "num_logits_to_keep"))
        {
            Assert.Equal(TensorProto.Types.DataLocation.External, tensor.DataLocation);
            Assert.False(tensor.HasRawData);
            var where = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value);
            long offset = long.Parse(where["offset"], CultureInfo.InvariantCulture), length = long.Parse(where["length"], CultureInfo.InvariantCulture);
            Assert.Equal("model.onnx.data", where["location"]);
            Assert.Equal(0, offset % 64);
            Assert.InRange(offset, end, end + 63);
            Assert.Equal(tensor.Dims.Aggregate(4L, (a, b) => a * b), length);
            end = offset + length;
        }
        Assert.Equal(end, exported.DataLength);
        Assert.Equal(end, new FileInfo(exported.DataFile).Length);
        Assert.InRange(exported.Model.CalculateSize(), 1, 60_000);
    }

    [Fact]
    public void TiedHead_SharesTheEmbedding()
    {
        using var exported = new ExportedModel(TestConfigs.TiedHead);
        Assert.Equal("model.embed_tokens.weight", exported.Model.Graph.Node[^1].Input[1]);
        Assert.DoesNotContain(exported.Model.Graph.Initializer, t => t.Name == "lm_head.weight");
    }

    [Fact]
    public void Norm_HasTheInputsAndAttributesOfTheTable()
    {
        using var exported = new ExportedModel(TestConfigs.LatentMoE);
        NodeProto[] nodes = [.. exported.Model.Graph.Node.Where(n => n.OpType == "AddRmsNorm")];
        Assert.Equal(["x", "residual", "gain"], Function(exported, "AddRmsNorm").Input);
        Assert.Equal(["y", "sum"], Function(exported, "AddRmsNorm").Output);
        Assert.Equal(
        [
            "model.layers.0.post_attention_layernorm.weight", "model.layers.1.input_layernorm.weight",
            "model.layers.1.post_attention_layernorm.weight", "model.norm.weight",
        ], nodes.Select(n => n.Input[2]));
        Assert.All(nodes.Zip(nodes.Skip(1)), pair => Assert.Equal(pair.First.Output[1], pair.Second.Input[1]));
        Assert.Equal(1e-6f, Attributes(nodes[0])["epsilon"]);
        AssertDeclared(exported, nodes[0]);
    }

    [Fact]
    public void Layer_OfExperts_HasNineNodes()
    {
        using var one = new ExportedModel(TestConfigs.LatentMoE with { NumHiddenLayers = 1 });
        using var two = new ExportedModel(TestConfigs.LatentMoE);
        int Count(ExportedModel m) => m.Model.Graph.Node.Count(n => n.OpType is not "Constant");
        Assert.Equal(9, Count(two) - Count(one));
    }

    private static NodeProto First(ExportedModel exported, string op) => exported.Model.Graph.Node.First(n => n.OpType == op && n.Domain == "latentmoe");

    private static FunctionProto Function(ExportedModel exported, string name) => exported.Model.Functions.Single(f => f.Name == name && f.Domain == "latentmoe");

    private static TensorProto Initializer(ExportedModel exported, string name) => exported.Model.Graph.Initializer.Single(t => t.Name == name);

    private static void AssertDeclared(ExportedModel exported, NodeProto node) =>
        Assert.Equal(node.Attribute.Select(a => a.Name).Order(), Function(exported, node.OpType).Attribute.Order());

    private static Dictionary<string, object> Attributes(NodeProto node) => node.Attribute.ToDictionary(a => a.Name, a => a.Type switch
    {
        AttributeProto.Types.AttributeType.Int => (object)a.I,
        AttributeProto.Types.AttributeType.Float => a.F,
        AttributeProto.Types.AttributeType.String => a.S.ToStringUtf8(),
        _ => throw new InvalidDataException(a.Name),
    });

    private static string Shape(ValueInfoProto value) =>
        string.Join(',', value.Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : d.DimValue.ToString(CultureInfo.InvariantCulture)));

    private static IEnumerable<NodeProto> Nodes(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(n => n.Attribute.Where(a => a.G is not null).SelectMany(a => Nodes(a.G.Node)).Prepend(n));
}
