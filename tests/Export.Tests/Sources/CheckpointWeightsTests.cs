using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Sources;

public sealed class CheckpointWeightsTests
{
    [Fact]
    public void MissingTensors_AreNamed()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Where(e => e.Name is not ("model.layers.1.mlp.experts.3.up_proj.weight" or "lm_head.weight")));
        string message = folder.Fails<CheckpointException>().Message;
        Assert.Contains("lacks lm_head.weight, model.layers.1.mlp.experts.3.up_proj.weight, that config.json asks for", message, StringComparison.Ordinal);
        Assert.Contains(folder.Checkpoint, message, StringComparison.Ordinal);
    }

    [Fact]
    public void ManyMissingTensors_AreCounted()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Where(e => !e.Name.Contains(".experts.", StringComparison.Ordinal)));
        Assert.Contains("and 40 more", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedTensors_AreNamed()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Append(SafetensorsEntry.Of("model.layers.0.self_attn.q_proj.bias", [60], new float[60])));
        Assert.Contains("holds model.layers.0.self_attn.q_proj.bias, that no part of the model", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void InertTensors_AreIgnored()
    {
        using var folder = new CheckpointFolder(TestConfigs.TiedHead);
        folder.Edit("model.safetensors", entries =>
        [
            .. entries, SafetensorsEntry.Of("model.layers.0.self_attn.rotary_emb.inv_freq", [4], new float[4]), SafetensorsEntry.Of("lm_head.weight", [272, 48], new float[272 * 48]),
        ]);
        Assert.True(Exporter.Run(folder.Options).Parity!.Passed);
    }

    [Fact]
    public void AbsentSelectionBias_IsZeroWhereTheMethodHasNone()
    {
        using var folder = new CheckpointFolder(TestConfigs.SoftmaxGreedy);
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name.EndsWith("bias", StringComparison.Ordinal) ? SafetensorsEntry.Of(e.Name, e.Shape, new float[8]) : e));
        var reference = LatentMoE.Tests.Support.Reference.ReferenceDecoder.Open(folder.Checkpoint).Logits([0, 5, 9]);
        folder.Edit("reference.safetensors", _ =>
            [SafetensorsEntry.Of("input_ids", [1, 3], new long[] { 0, 5, 9 }), SafetensorsEntry.Of("logits", [1, 3, 272], Array.ConvertAll(reference, v => (float)v))]);
        folder.Edit("model.safetensors", entries => entries.Where(e => !e.Name.EndsWith("bias", StringComparison.Ordinal)));
        Assert.True(Exporter.Run(folder.Options).Parity!.Passed);
    }

    [Fact]
    public void WrongShape_NamesBoth()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name == "model.layers.1.self_attn.o_proj.weight" ? e with { Shape = [e.Shape[1] / 2, e.Shape[0] * 2] } : e));
        string message = folder.Fails<CheckpointException>().Message;
        Assert.Contains("tensor model.layers.1.self_attn.o_proj.weight has shape [24, 96]; config.json asks for [48, 48]", message, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", message, StringComparison.Ordinal);
    }

    [Fact]
    public void IntegerWeights_AreRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name == "model.norm.weight" ? SafetensorsEntry.Of(e.Name, e.Shape, new long[48]) : e));
        Assert.Contains("tensor model.norm.weight is I64; expected F32, BF16, F16 or F8_E4M3", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TruncatedFile_IsNamed()
    {
        using var folder = new CheckpointFolder();
        using (var stream = File.OpenWrite(folder.File("model.safetensors")))
        {
            stream.SetLength(stream.Length - 100);
        }
        Assert.Contains("model.safetensors", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("num_experts_per_tok", 9, "num_experts_per_tok is 9")]
    [InlineData("qk_rope_head_dim", 7, "qk_rope_head_dim is 7")]
    [InlineData("hidden_size", 50, "config.json asks for")]
    public void ImpossibleConfig_IsRefused(string key, int value, string expected)
    {
        using var folder = new CheckpointFolder();
        folder.Edit("config.json", json => json[key] = value);
        Assert.Contains(expected, folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HeadsThatGroupQueryAttentionCannotRotate_AreRefused()
    {
        using var folder = new CheckpointFolder(TestConfigs.Llama with { NumAttentionHeads = 8, NumKeyValueHeads = 8 });
        Assert.Contains("head_dim is 8", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }
}
