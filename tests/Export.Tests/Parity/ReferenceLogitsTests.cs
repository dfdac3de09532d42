using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Tests.Parity;

public sealed class ReferenceLogitsTests
{
    [Fact]
    public void Load_TokenBeyondTheVocabulary_IsRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("reference.safetensors", entries => entries.Select(e => e.Name == "input_ids" ? SafetensorsEntry.Of(e.Name, e.Shape, [.. Enumerable.Repeat(272L, 24)]) : e));
        Assert.Contains("input_ids holds 272", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LogitsOfAnotherVocabulary_AreRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("reference.safetensors", entries => entries.Select(e => e.Name == "logits" ? SafetensorsEntry.Of(e.Name, [2, 12, 3], new float[72]) : e));
        Assert.Contains("tensor logits has shape [2, 12, 3]", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SequencesBeyondTheContext_AreRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("reference.safetensors", entries => entries.Select(e => e.Name == "input_ids" ? SafetensorsEntry.Of(e.Name, [1, 97], new long[97]) : e));
        Assert.Contains("1 to 96 tokens", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LogitsThatAreNotFinite_AreRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("reference.safetensors", entries => entries.Select(e =>
            e.Name == "logits" ? SafetensorsEntry.Of(e.Name, e.Shape, [.. Enumerable.Repeat(float.PositiveInfinity, 2 * 12 * 272)]) : e));
        Assert.Contains("not finite", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }
}
