using System.Text;
using System.Text.Json.Nodes;

namespace LatentMoE.Pipeline.Tests;

/// <summary>What goes wrong on the way is said with file, place, expectation and remedy; the exit code is not zero, and nothing half-made stays.</summary>
[Collection(nameof(SmallPackage))]
public sealed class ErrorTests(SmallPackage small) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("errors").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Out => Path.Combine(folder, "out");

    private static void Refused(Outcome outcome, params string[] expected)
    {
        Assert.NotEqual(0, outcome.ExitCode);
        foreach (string part in expected)
        {
            Assert.Contains(part, outcome.Error);
        }
        Assert.DoesNotContain("   at LatentMoE", outcome.Error);
    }

    private string CopyCheckpoint()
    {
        string copy = Path.Combine(folder, "checkpoint");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(small.Checkpoint))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
        return copy;
    }

    private void RefusedExport(string checkpoint, params string[] expected)
    {
        Refused(Command.Dotnet(Repository.Export, "export", "--checkpoint", checkpoint, "--output", Out), expected);
        Assert.Equal([checkpoint], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void Train_MissingCorpus_IsRefused()
    {
        Refused(small.Train(Out, "--data", Path.Combine(folder, "absent.txt")), "absent.txt");
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Train_EmptyCorpus_IsRefused()
    {
        string data = Path.Combine(folder, "empty.txt");
        File.WriteAllText(data, "\n \n");
        Refused(small.Train(Out, "--data", data), "empty.txt");
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Train_InvalidUtf8_NamesTheOffset()
    {
        string data = Path.Combine(folder, "latin1.txt");
        File.WriteAllBytes(data, [.. Encoding.ASCII.GetBytes("A caf"), 0xE9, .. Encoding.ASCII.GetBytes(" by the sea.")]);
        Refused(small.Train(Out, "--data", data), "latin1.txt", "5", "UTF-8");
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Train_UnknownPresetOrArgument_IsRefused()
    {
        Refused(Command.Dotnet(Repository.Training, "train", "--preset", "huge", "--output", Out), "huge", "tiny");
        Refused(small.Train(Out, "--stepz", "3"), "--stepz");
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Export_DamagedTokenizer_IsRefused()
    {
        string checkpoint = CopyCheckpoint(), file = Path.Combine(checkpoint, "tokenizer.json");
        File.WriteAllText(file, File.ReadAllText(file)[..200]);
        RefusedExport(checkpoint, file);
    }

    [Fact]
    public void Export_TruncatedWeights_IsRefused()
    {
        string checkpoint = CopyCheckpoint(), file = Path.Combine(checkpoint, "model.safetensors");
        using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length - 100);
        }
        RefusedExport(checkpoint, file, "bytes");
    }

    [Theory]
    [InlineData("num_experts_per_tok", "1000", "config.json", "more than n_routed_experts (8)")]
    [InlineData("qk_rope_head_dim", "7", "config.json", "must be even")]
    [InlineData("vocab_size", "100", "tokenizer.json", "vocab_size")]
    [InlineData("hidden_size", "80", "model.safetensors", "has shape [")]
    public void Export_ImpossibleConfig_NamesFileAndReason(string key, string value, string culprit, string reason)
    {
        string checkpoint = CopyCheckpoint(), file = Path.Combine(checkpoint, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(file))!;
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(file, config.ToJsonString());
        RefusedExport(checkpoint, Path.Combine(checkpoint, culprit), reason);
    }

    [Fact]
    public void Generate_PromptLongerThanContext_IsRefused()
    {
        string prompt = string.Join(' ', Enumerable.Repeat("dog", 600));
        Refused(Command.Dotnet(Repository.Runtime, "generate", "--model", small.Package, "--prompt", prompt), "context");
    }

    [Fact]
    public void Generate_MissingPackage_IsRefused() =>
        Refused(Command.Dotnet(Repository.Runtime, "generate", "--model", Path.Combine(folder, "absent"), "--prompt", "a"), "absent");
}
