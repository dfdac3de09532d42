using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public sealed class CheckpointNamesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("latentmoe-names-").FullName;

    public static TheoryData<string> Twins => [.. Twin.Names];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Saved(Transformer model)
    {
        string path = Path.Combine(_folder, "model.safetensors");
        CheckpointNames.Save(model, path);
        return path;
    }

    [Theory]
    [MemberData(nameof(Twins))]
    public void Load_GivesTheSavedModel(string twin)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Transformer model = Models.Create(Models.Of(twin), seed: 1), other = Models.Create(Models.Of(twin), seed: 2);
        foreach (var (_, moe) in model.Mixtures)
        {
            moe.Gate.Bias.normal_();
        }
        Saved(model);
        using var tensors = CheckpointTensors.Open(_folder);
        CheckpointNames.Load(other, tensors);
        model.eval();
        other.eval();
        var ids = tensor(Models.Ids(2, 8), [2, 8]);
        Models.AssertClose("logits", model.call(ids), other.call(ids), 0);
    }

    [Fact]
    public void Save_LatentExpertsHaveHuggingFaceNamesAndShapes()
    {
        using var model = Models.Create(Models.Latent);
        using var file = SafetensorsFile.Open(Saved(model));
        var expected = new Dictionary<string, long[]>
        {
            ["model.embed_tokens.weight"] = [32, 16],
            ["model.norm.weight"] = [16],
        };
        for (int i = 0; i < 2; i++)
        {
            string p = $"model.layers.{i}.";
            expected[p + "input_layernorm.weight"] = [16];
            expected[p + "post_attention_layernorm.weight"] = [16];
            expected[p + "self_attn.q_proj.weight"] = [24, 16];
            expected[p + "self_attn.kv_a_proj_with_mqa.weight"] = [12, 16];
            expected[p + "self_attn.kv_a_layernorm.weight"] = [8];
            expected[p + "self_attn.kv_b_proj.weight"] = [28, 8];
            expected[p + "self_attn.o_proj.weight"] = [16, 12];
            expected[p + "mlp.gate.weight"] = [6, 16];
            expected[p + "mlp.gate.e_score_correction_bias"] = [6];
            foreach (string e in Enumerable.Range(0, 6).Select(e => $"experts.{e}").Append("shared_experts"))
            {
                expected[$"{p}mlp.{e}.gate_proj.weight"] = [8, 16];
                expected[$"{p}mlp.{e}.up_proj.weight"] = [8, 16];
                expected[$"{p}mlp.{e}.down_proj.weight"] = [16, 8];
            }
        }
        Assert.Equal(expected.Keys.Order(), file.Tensors.Select(t => t.Name).Order());
        Assert.All(file.Tensors, t => Assert.Equal(expected[t.Name], t.Shape));
        Assert.All(file.Tensors, t => Assert.Equal(SafetensorsType.F32, t.DType));
    }

    [Fact]
    public void Save_DenseMultiHeadIsALlama()
    {
        using var model = Models.Create(Models.Of(Twin.MhaDense) with { TieWordEmbeddings = false });
        using var file = SafetensorsFile.Open(Saved(model));
        string[] layer = [.. file.Tensors.Select(t => t.Name).Where(n => n.StartsWith("model.layers.1.")).Select(n => n["model.layers.1.".Length..]).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["input_layernorm.weight", "mlp.down_proj.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight", "post_attention_layernorm.weight",
             "self_attn.k_proj.weight", "self_attn.o_proj.weight", "self_attn.q_proj.weight", "self_attn.v_proj.weight"], layer);
        Assert.Equal([32L, 16L], file["lm_head.weight"].Shape);
    }

    [Fact]
    public void Save_StacksGateRowsFirst()
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent);
        using var file = SafetensorsFile.Open(Saved(model));
        var stacked = model.Mixtures.First().MoE.Experts.GateUp.detach()[4];
        Models.AssertClose("gate_proj", stacked.narrow(0, 0, 8).flatten(), tensor(file["model.layers.0.mlp.experts.4.gate_proj.weight"].ToFloat32()), 0);
        Models.AssertClose("up_proj", stacked.narrow(0, 8, 8).flatten(), tensor(file["model.layers.0.mlp.experts.4.up_proj.weight"].ToFloat32()), 0);
    }

    [Fact]
    public void Load_NamesWhatDoesNotFit()
    {
        using var model = Models.Create(Models.Latent);
        Saved(model);
        using var tensors = CheckpointTensors.Open(_folder);
        using var wider = Models.Create((Models.Latent with { KvLoraRank = 10 }).Validated("test"));
        Assert.Contains("kv_a_proj_with_mqa.weight has shape [12, 16]", Assert.Throws<CheckpointException>(() => CheckpointNames.Load(wider, tensors)).Message);
        using var deeper = Models.Create(Models.Latent with { NumHiddenLayers = 3 });
        Assert.Contains("model.layers.2", Assert.Throws<CheckpointException>(() => CheckpointNames.Load(deeper, tensors)).Message);
        using var shallower = Models.Create(Models.Latent with { NumHiddenLayers = 1 });
        Assert.Contains("model.layers.1", Assert.Throws<CheckpointException>(() => CheckpointNames.Load(shallower, tensors)).Message);
    }
}
