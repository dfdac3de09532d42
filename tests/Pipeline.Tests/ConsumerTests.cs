using System.Text.Json;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Pipeline.Tests;

/// <summary>One package, one greedy continuation, whoever loads it.</summary>
[Collection(nameof(SmallPackage))]
public sealed class ConsumerTests(SmallPackage small)
{
    private const string Prompt = "Once upon a time";

    private int[] Expected(string prompt, int tokens, params string[] more) => Expected(small.Package, prompt, tokens, more);

    private static int[] Expected(string package, string prompt, int tokens, params string[] more) => Tokens(Json(Command.Dotnet(Repository.Runtime,
        ["generate", "--model", package, "--prompt", prompt, "--max-tokens", $"{tokens}", "--greedy", "--json", .. more]).Succeeded().LastLine).GetProperty("token_ids"));

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static int[] Tokens(JsonElement array) => [.. array.EnumerateArray().Select(token => token.GetInt32())];

    [Theory]
    [InlineData("onnxruntime-node", "1.30.")]
    [InlineData("onnxruntime-node-2024", "1.17.")]
    public void Node_StockRuntime_GivesTheSameTokens(string runtime, string version)
    {
        var answer = Json(NodeModules.Run("generate.mjs", [small.Package, "--prompt", Prompt, "--tokens", "64", "--ignore-eos", "--runtime", runtime]).LastLine);
        Assert.StartsWith(version, answer.GetProperty("runtime").GetString());
        int[] tokens = Tokens(answer.GetProperty("tokens"));
        Assert.Equal(64, tokens.Length);
        Assert.Equal(Expected(Prompt, 64, "--ignore-eos"), tokens);
    }

    [Theory]
    [InlineData("bf16", "f32", "f32")]
    [InlineData("int8", "f32", "f32")]
    [InlineData("int4", "f32", "f32")]
    [InlineData("f16", "f16", "f32")]
    [InlineData("f16", "f16", "f16")]
    [InlineData("int4", "f16", "f16")]
    public void EveryPrecision_LoadsEverywhereAndGivesTheSameTokens(string precision, string cache, string activations)
    {
        string package = small.Export(precision, cache, activations);
        int[] expected = Expected(package, Prompt, 32, "--ignore-eos");
        // onnxruntime-node 1.17 has no tensors of float16.
        foreach (string runtime in cache == "f32" ? new[] { "onnxruntime-node", "onnxruntime-node-2024" } : ["onnxruntime-node"])
        {
            Assert.Equal(expected, Tokens(Json(NodeModules.Run("generate.mjs", [package, "--prompt", Prompt, "--tokens", "32", "--ignore-eos", "--runtime", runtime]).LastLine).GetProperty("tokens")));
        }
        var rows = Json(Command.Dotnet(Repository.GenAIConsumer, [package, $"{true}", "32", Prompt]).Succeeded().LastLine).GetProperty("rows");
        Assert.Equal(Expected(package, Prompt, 32), Tokens(rows[0].GetProperty("tokens")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GenAI_OneRowAndPaddedBatch_GiveTheSameTokens(bool share)
    {
        string[] prompts = [Prompt, "Ben", "One day a small dog went to the park with"];
        foreach (string[] batch in new string[][] { [Prompt], prompts })
        {
            var answer = Json(Command.Dotnet(Repository.GenAIConsumer, [small.Package, $"{share}", "48", .. batch]).Succeeded().LastLine);
            foreach (var (prompt, row) in batch.Zip(answer.GetProperty("rows").EnumerateArray()))
            {
                Assert.Equal(Expected(prompt, 48), Tokens(row.GetProperty("tokens")));
            }
        }
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
