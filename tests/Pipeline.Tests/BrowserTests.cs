using System.Text.Json;

namespace LatentMoE.Pipeline.Tests;

/// <summary>The page of tests/consumers/browser in headless Chromium, against the runtime on the same package.</summary>
[Collection(nameof(SmallPackage))]
public sealed class BrowserTests(SmallPackage small)
{
    private const string Prompt = "Once upon a time";

    private const int Tokens = 64;

    private static readonly string Script = Path.Combine(Repository.Root, "tests/consumers/browser/generate.mjs");

    [Theory]
    [InlineData("f32", "f32", "f32")]
    [InlineData("int8", "f16", "f32")]
    [InlineData("f16", "f16", "f16")]
    public void Page_StockRuntime_WritesTheSameTokens(string precision, string cache, string activations)
    {
        string package = precision == "f32" ? small.Package : small.Export(precision, cache, activations);
        var expected = Json(Command.Dotnet(Repository.Runtime, "generate", "--model", package, "--prompt", Prompt, "--max-tokens", $"{Tokens}", "--greedy", "--ignore-eos", "--json"));
        var answer = Json(NodeModules.Run(Script, [package, "--prompt", Prompt, "--tokens", $"{Tokens}", "--ignore-eos"]));
        Assert.StartsWith("1.30.", answer.GetProperty("runtime").GetString());
        int[] tokens = Ids(answer.GetProperty("tokens"));
        Assert.Equal(Tokens, tokens.Length);
        Assert.Equal(Ids(expected.GetProperty("token_ids")), tokens);
        Assert.StartsWith(Prompt, answer.GetProperty("text").GetString());
        Assert.True(answer.GetProperty("tokens_per_second").GetDouble() > 0);
        // The page is isolated from other origins, so it may use threads.
        Assert.InRange(answer.GetProperty("threads").GetInt32(), Math.Min(2, Environment.ProcessorCount), 4);
    }

    [Fact]
    public void Page_DamagedPackage_SaysWhichFile()
    {
        using var folder = new Folder();
        foreach (string file in Directory.GetFiles(small.Package).Where(file => Path.GetFileName(file) != "model.onnx.data"))
        {
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        }
        var failure = Assert.Throws<InvalidOperationException>(() => NodeModules.Run(Script, [folder.Path]));
        Assert.Contains("model.onnx.data: 404", failure.Message);
    }

    private static JsonElement Json(Outcome outcome) => JsonDocument.Parse(outcome.Succeeded().LastLine).RootElement;

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("browser").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
