using System.Text.Json;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Pipeline.Tests;

/// <summary>One package, one greedy continuation, whoever loads it.</summary>
[Collection(nameof(SmallPackage))]
public sealed class ConsumerTests(SmallPackage small)
{
    private const string Prompt = "Once upon a time";

    // Precision, cache, activations; the first is the package as Export writes it by default.
    private static readonly string[][] Packages =
    [
        ["f32", "f32", "f32"], ["bf16", "f32", "f32"], ["int8", "f32", "f32"], ["int4", "f32", "f32"],
        ["f16", "f16", "f32"], ["f16", "f16", "f16"], ["int4", "f16", "f16"],
    ];

    public static IEnumerable<object[]> Cases => Of(Consumer.Everywhere);

    public static IEnumerable<object[]> PythonCases => Of(Consumer.InPython);

    private static IEnumerable<object[]> Of(IReadOnlyDictionary<string, Consumer> consumers) =>
        from package in Packages
        from consumer in consumers
        where consumer.Value.HasFloat16 || package[1] == "f32"
        select new object[] { consumer.Key, package[0], package[1], package[2] };

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static int[] Tokens(JsonElement array) => [.. array.EnumerateArray().Select(token => token.GetInt32())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryConsumer_GivesTheSameTokens(string consumer, string precision, string cache, string activations) =>
        Check(Consumer.Everywhere[consumer], small.Export(precision, cache, activations));

    [PythonTheory]
    [MemberData(nameof(PythonCases))]
    public void Python_GivesTheSameTokens(string consumer, string precision, string cache, string activations) =>
        Check(Consumer.InPython[consumer], small.Export(precision, cache, activations));

    [Theory]
    [InlineData("onnxruntime-node", "1.30.")]
    [InlineData("onnxruntime-node-2024", "1.17.")]
    public void Node_IsTheRuntimeThatWasAskedFor(string runtime, string version) => Assert.StartsWith(version,
        Json(NodeModules.Run("generate.mjs", [small.Package, "--tokens", "1", "--runtime", runtime]).LastLine).GetProperty("runtime").GetString());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GenAI_OneRowAndPaddedBatch_GiveTheSameTokens(bool share)
    {
        string[] prompts = [Prompt, "Ben", "One day a small dog went to the park with"];
        foreach (string[] batch in new string[][] { [Prompt], prompts })
        {
            foreach (string[] overlay in new string[][] { [], [$"--library={Repository.OperatorLibrary}"] })
            {
                var answer = Json(Command.Dotnet(Repository.GenAIConsumer, [small.Package, .. overlay, $"{share}", "48", .. batch]).Succeeded().LastLine);
                foreach (var (prompt, row) in batch.Zip(answer.GetProperty("rows").EnumerateArray()))
                {
                    Assert.Equal(UpToEnd(Expected(small.Package, prompt, 48)), Tokens(row.GetProperty("tokens")));
                }
            }
        }
    }

    [Fact]
    public void GenAI_WithTheLibrary_RunsItsKernels()
    {
        string[] stock = ProfiledOperators("stock"), overlaid = ProfiledOperators("overlaid", $"--library={Repository.OperatorLibrary}");
        Assert.DoesNotContain("LatentAttention", stock);
        Assert.Contains("ScatterND", stock);
        Assert.Superset(new HashSet<string> { "LatentAttention", "MoERouter", "MoEExperts", "Linear" }, overlaid.ToHashSet());
        Assert.DoesNotContain("ScatterND", overlaid);
    }

    // What ONNX Runtime says it ran.
    private string[] ProfiledOperators(string name, params string[] overlay)
    {
        Command.Dotnet(Repository.GenAIConsumer, [small.Package, .. overlay, $"--session=enable_profiling={Path.Combine(small.Root, name)}", "true", "4", Prompt]).Succeeded();
        using var profile = JsonDocument.Parse(File.ReadAllBytes(Directory.GetFiles(small.Root, $"{name}_*.json").Single()));
        return [.. profile.RootElement.EnumerateArray().Where(e => e.TryGetProperty("args", out var args) && args.TryGetProperty("op_name", out _))
            .Select(e => e.GetProperty("args").GetProperty("op_name").GetString()!).Distinct()];
    }

    private void Check(Consumer consumer, string package)
    {
        int[] expected = Expected(package, Prompt, 32);
        Assert.Equal(32, expected.Length);
        Assert.Equal(consumer.StopsAtEnd ? UpToEnd(expected) : expected, consumer.Tokens(package, Prompt, 32));
    }

    // One run for all that are compared with it.
    private int[] Expected(string package, string prompt, int tokens) => small.Answers.GetOrAdd((package, prompt, tokens), _ => Consumer.Expected(package, prompt, tokens));

    private int[] UpToEnd(int[] tokens)
    {
        var config = Json(File.ReadAllText(Path.Combine(small.Package, "genai_config.json")));
        int end = Array.IndexOf(tokens, config.GetProperty("model").GetProperty("eos_token_id").GetInt32());
        return end < 0 ? tokens : tokens[..(end + 1)];
    }

    [Fact]
    public void Tokenizers_TortureTexts_GiveTheSameIds()
    {
        string[] texts =
        [
            "Once upon a time, there was a little girl named Lily.", "  two  spaces   three\t\ttabs\n\n\nlines \n", " ", "\n", "I'm you're he'll we've she'd it's THEY'RE 'tis",
            "naïve café ÀÉÎ ñandú", "日本語のテキスト", "Здравствуй, мир!", "مرحبا بالعالم", "👩‍👩‍👧‍👦 🇩🇪 🙂🙃", "e\u0301 \u00a0 \u2003 \u3000x", "12345 6789 3.14159 ½ Ⅷ ²",
            "a<|endoftext|>b <|pad|> <|endoftext|", "!!??...--__##$$%%^^&&**", "\u0001\u007f", "The end.\r\nNext\rline",
        ];
        string input = string.Join('\n', texts.Select(text => JsonSerializer.Serialize(text))) + "\n";
        int[][] Ids(Outcome outcome) => [.. outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Tokens(Json(line)))];
        int[][] huggingFace = Ids(NodeModules.Run("tokenize.mjs", [small.Package], input));
        int[][] genAI = Ids(Command.Run("dotnet", [Repository.GenAIConsumer, small.Package, "tokenize"], input).Succeeded());
        var ours = TokenizerFile.Load(Path.Combine(small.Package, "tokenizer.json"));
        for (int i = 0; i < texts.Length; i++)
        {
            int[] expected = [.. ours.Encode(texts[i])];
            Assert.True(expected.SequenceEqual(huggingFace[i]), $"Hugging Face, text {i}: [{string.Join(' ', huggingFace[i])}], ours [{string.Join(' ', expected)}]");
            Assert.True(expected.SequenceEqual(genAI[i]), $"GenAI, text {i}: [{string.Join(' ', genAI[i])}], ours [{string.Join(' ', expected)}]");
            Assert.Equal(texts[i], ours.Decode(expected, skipSpecialTokens: false));
        }
    }
}
