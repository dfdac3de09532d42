using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support.Field;

namespace LatentMoE.Export.Tests.Field;

/// <summary>What an export says about a checkpoint in the field's form, what it takes along, and what it refuses.</summary>
public sealed class FieldExportTests
{
    private const string Layer = "model.layers.1.", First = "model-00001-of-000003.safetensors", Index = "model.safetensors.index.json";

    [Fact]
    public void Summary_TellsWhatWasReadAndWhatWasLeft()
    {
        using var folder = FieldFolder.Of("v3");
        folder.Edit(First, entries => entries.Append(SafetensorsEntry.Of("model.layers.0.self_attn.rotary_emb.inv_freq", [4], new float[4])));
        folder.Edit(Index, json => json["weight_map"]!["model.layers.0.self_attn.rotary_emb.inv_freq"] = First);

        string[] lines = [.. Exporter.Run(folder.Options).Checkpoint!.Lines()];

        // In eight bits: 5 matrices of attention in both layers, 3 of the dense part, 27 of eight experts and a shared one.
        Assert.Equal(
        [
            "checkpoint deepseek_v3: 2 layers of width 144, latent attention of 4 heads, 40 + 8 numbers cached, 3 of 8 routed and 1 shared experts of 24, vocabulary 272, context 640, "
                + $"{ModelSize.Of(ModelConfig.Load(folder.Checkpoint)).TotalParameters:N0} parameters",
            "tensors: 40 F8_E4M3, 12 BF16, 1 F32 in 3 files; 40 dequantised in blocks of 128 x 128",
            "positions: YaRN, 40 times 16; factor on cosines and sines 1, on scores 1.873854",
            "ignored in config.json, without effect on the model: architectures, attention_dropout, auto_map, aux_loss_alpha, ep_size, initializer_range, pretraining_tp, seq_aux, torch_dtype, transformers_version, use_cache",
            "skipped: 76 tensors of layer 2, which predicts further tokens",
            "skipped: 1 tensor of rotary frequencies, which config.json gives",
        ], lines);
    }

    [Fact]
    public void Package_TakesTheTokenizerAlong()
    {
        using var folder = FieldFolder.Of("v2");
        File.Delete(folder.File("generation_config.json"));
        folder.Edit("tokenizer_config.json", json =>
        {
            json["tokenizer_class"] = "LlamaTokenizerFast";
            json["chat_template"] = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";
        });

        Exporter.Run(folder.Options);

        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "tokenizer_config.json")))!;
        Assert.Equal("PreTrainedTokenizerFast", (string?)written["tokenizer_class"]);
        Assert.StartsWith("{{ bos_token }}", (string?)written["chat_template"]);
        Assert.Equal(File.ReadAllBytes(folder.File("tokenizer.json")), File.ReadAllBytes(Path.Combine(folder.Output, "tokenizer.json")));
        // The several end tokens of config.json, where no generation_config.json has others.
        Assert.Equal("[1,0]", JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "genai_config.json")))!["model"]!["eos_token_id"]!.ToJsonString());
    }

    [Fact]
    public void Package_ConfigSaysNothingOfTheCheckpointsOwnTypesAndCode()
    {
        using var folder = FieldFolder.Of("v3");
        Exporter.Run(folder.Options);
        var kept = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "config.json")))!;
        var expected = (JsonObject)folder.Written.Config.DeepClone();
        Assert.True(expected.Remove("quantization_config") && expected.Remove("auto_map"));
        Assert.True(JsonNode.DeepEquals(expected, kept));
    }

    // The length of the models that DeepSeek publishes.
    [Fact]
    public void Package_LongContext_HasTablesOfEveryPosition()
    {
        const int Positions = 163_840;
        using var folder = new FieldFolder(FieldConfigs.V2Lite.Replace("\"max_position_embeddings\": 256", $"\"max_position_embeddings\": {Positions}", StringComparison.Ordinal));
        var result = Exporter.Run(folder.Options);
        long tables = 2L * Positions * 8 * sizeof(float);
        Assert.InRange(result.Files.Single(f => f.Name == "model.onnx.data").Size, tables, tables + 2_000_000);
        Assert.Equal(Positions, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "genai_config.json")))!["model"]!["context_length"]!);
        long[] ids = folder.Ids(6);
        double[] expected = [.. new DeepSeekReference(folder.Written.Config, folder.Written.Weights).Logits(ids).SelectMany(row => row)];
        using var package = new PackageRun(folder.Output);
        Close.Assert("logits", expected, package.Logits(ids, 6), 5e-6);
    }

    [Theory]
    [InlineData("v3", "index_topk", "2048", "index_topk is 2048. It is an unknown key of deepseek_v3")]
    [InlineData("v2", "rope_scaling", "{ \"type\": \"dynamic\", \"factor\": 2 }", "rope_scaling.type is \"dynamic\"")]
    [InlineData("v3", "quantization_config", "{ \"quant_method\": \"bitsandbytes\" }", "quantization_config.quant_method is \"bitsandbytes\"; expected \"fp8\"")]
    [InlineData("v3", "quantization_config", "null", "is F8_E4M3, but config.json has no quantization_config")]
    [InlineData("v3", "num_nextn_predict_layers", "0", "holds model.layers.2.")]
    [InlineData("v3", "num_hidden_layers", "4", "lacks model.layers.3.")]
    [InlineData("v3", "kv_lora_rank", "48", "kv_a_proj_with_mqa.weight has shape [48, 144]; config.json asks for [56, 144]")]
    [InlineData("v2", "q_lora_rank", "null", "lacks model.layers.0.self_attn.q_proj.weight")]
    [InlineData("v2-lite", "first_k_dense_replace", "2", "lacks model.layers.1.mlp.down_proj.weight")]
    [InlineData("tied", "tie_word_embeddings", "false", "lacks lm_head.weight")]
    public void Run_ConfigOfAnotherModel_NamesTheDifference(string form, string key, string value, string expected)
    {
        using var folder = FieldFolder.Of(form);
        folder.Edit("config.json", json => json[key] = JsonNode.Parse(value));
        Assert.Contains(expected, folder.Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MissingTensor_IsNamed()
    {
        using var folder = FieldFolder.Of("v2-lite");
        const string Name = "model.layers.2.mlp.experts.7.down_proj.weight";
        string shard = (string)JsonNode.Parse(File.ReadAllText(folder.File(Index)))!["weight_map"]![Name]!;
        folder.Edit(shard, entries => entries.Where(e => e.Name != Name));
        Assert.Contains($"tensor {Name} should be in {shard}, but no file has it", folder.Refused(), StringComparison.Ordinal);
        folder.Edit(Index, json => ((JsonObject)json["weight_map"]!).Remove(Name));
        Assert.Contains($"the checkpoint lacks {Name}, that config.json asks for", folder.Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MissingShardOrFactors_IsNamed()
    {
        using var folder = FieldFolder.Of("v3");
        string hidden = folder.File(First + ".away");
        File.Move(folder.File(First), hidden);
        Assert.Contains($"weight_map names {First}, which the folder does not have", folder.Refused(), StringComparison.Ordinal);
        File.Move(hidden, folder.File(First));
        const string Scale = "model.layers.0.self_attn.o_proj.weight_scale_inv";
        folder.Edit(First, entries => entries.Where(e => e.Name != Scale));
        folder.Edit(Index, json => ((JsonObject)json["weight_map"]!).Remove(Scale));
        Assert.Contains($"its factors, {Scale}, are missing", folder.Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FactorThatIsNoNumber_NamesTensorAndElement()
    {
        using var folder = FieldFolder.Of("v3");
        folder.Edit(First, entries => entries.Select(e => e.Name == "model.layers.0.self_attn.o_proj.weight_scale_inv"
            ? SafetensorsEntry.Of(e.Name, e.Shape, [1f, float.NaN]) : e));
        Assert.Contains("tensor model.layers.0.self_attn.o_proj.weight: element 16384 is NaN", folder.Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_TensorThatNothingUses_IsNamed()
    {
        using var folder = FieldFolder.Of("tied");
        folder.Edit("model.safetensors", entries => entries.Append(SafetensorsEntry.Of(Layer + "self_attn.kv_b_proj.bias", [40], new float[40])));
        Assert.Contains($"holds {Layer}self_attn.kv_b_proj.bias, that no part of the model", folder.Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int4", "q_b_proj.weight has rows of 28 elements; int4 stores rows in blocks of 16 or 32")]
    [InlineData("int8", "Export with --precision=f32, f16 or bf16")]
    public void Run_WidthThatAFormatCannotTake_NamesTheTensor(string precision, string expected)
    {
        using var folder = FieldFolder.Of("v2");
        Assert.Contains(expected, folder.Refused(folder.Options with { Precision = precision }), StringComparison.Ordinal);
    }
}
