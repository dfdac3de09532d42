using System.Text.Json;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Pipeline.Tests;

/// <summary>A program under tests/consumers that continues a prompt greedily: package folder, prompt and number of tokens in, JSON out.</summary>
internal sealed record Consumer(Func<string, string, int, Outcome> Run)
{
    private static readonly string[] None = [], WithLibrary = ["--library", Repository.OperatorLibrary];

    /// <summary>All but those in Python, which is not everywhere.</summary>
    public static IReadOnlyDictionary<string, Consumer> Everywhere { get; } = new Dictionary<string, Consumer>
    {
        [".NET, standard bodies"] = new((package, prompt, tokens) => DotNet(package, prompt, tokens, "--operators", "none")) { Answer = "token_ids" },
        ["Node"] = new((package, prompt, tokens) => Node("onnxruntime-node", package, prompt, tokens)),
        ["Node, of 2024"] = new((package, prompt, tokens) => Node("onnxruntime-node-2024", package, prompt, tokens)) { HasFloat16 = false },
        ["C++"] = new((package, prompt, tokens) => Cpp(package, prompt, tokens, None)),
        ["C++ with the library"] = new((package, prompt, tokens) => Cpp(package, prompt, tokens, WithLibrary)),
        ["GenAI"] = new((package, prompt, tokens) => GenAI(package, tokens, prompt)) { StopsAtEnd = true },
        ["GenAI with the library"] = new((package, prompt, tokens) => GenAI(package, tokens, prompt, $"--library={Repository.OperatorLibrary}")) { StopsAtEnd = true },
    };

    public static IReadOnlyDictionary<string, Consumer> InPython { get; } = new Dictionary<string, Consumer>
    {
        ["Python"] = new((package, prompt, tokens) => Python(package, prompt, tokens, None)),
        ["Python with the library"] = new((package, prompt, tokens) => Python(package, prompt, tokens, WithLibrary)),
    };

    /// <summary>Whether it ends at the end-of-sequence token whatever it is told.</summary>
    public bool StopsAtEnd { get; private init; }

    public bool HasFloat16 { get; private init; } = true;

    /// <summary>The key of the ids in what it prints.</summary>
    private string Answer { get; init; } = "tokens";

    public int[] Tokens(string package, string prompt, int tokens)
    {
        var answer = JsonDocument.Parse(Run(package, prompt, tokens).Succeeded().LastLine).RootElement;
        answer = answer.TryGetProperty("rows", out var rows) ? rows[0] : answer;
        return [.. answer.GetProperty(Answer).EnumerateArray().Select(id => id.GetInt32())];
    }

    /// <summary>The ids that .NET with the native operators gives, which all others must equal.</summary>
    public static int[] Expected(string package, string prompt, int tokens) =>
        new Consumer((_, _, _) => DotNet(package, prompt, tokens)) { Answer = "token_ids" }.Tokens(package, prompt, tokens);

    /// <summary>The prompt as a consumer without a tokenizer takes it: the beginning-of-sequence token first.</summary>
    public static IEnumerable<string> Ids(string package, string prompt)
    {
        var tokenizer = TokenizerFile.Load(Path.Combine(package, "tokenizer.json"));
        return tokenizer.Encode("<|endoftext|>" + prompt).Select(id => $"{id}");
    }

    private static Outcome DotNet(string package, string prompt, int tokens, params string[] more) => Command.Dotnet(Repository.Runtime,
        ["generate", "--model", package, "--prompt", prompt, "--max-tokens", $"{tokens}", "--greedy", "--ignore-eos", "--json", .. more]);

    private static Outcome Node(string runtime, string package, string prompt, int tokens) =>
        NodeModules.Run("generate.mjs", [package, "--prompt", prompt, "--tokens", $"{tokens}", "--ignore-eos", "--runtime", runtime]);

    private static Outcome Cpp(string package, string prompt, int tokens, string[] more) =>
        CppConsumer.Run([.. more, "--tokens", $"{tokens}", package, .. Ids(package, prompt)]);

    private static Outcome GenAI(string package, int tokens, string prompt, params string[] more) =>
        Command.Dotnet(Repository.GenAIConsumer, [package, .. more, "true", $"{tokens}", prompt]);

    private static Outcome Python(string package, string prompt, int tokens, string[] more) =>
        PythonConsumer.Run([package, .. more, "--tokens", $"{tokens}", "--ignore-eos", "--ids", .. Ids(package, prompt)]);
}
