using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LatentMoE.Runtime;
using static LatentMoE.Cli.ModelArguments;

namespace LatentMoE.Cli;

/// <summary>The options that say how tokens are chosen and when an answer ends.</summary>
internal static class SamplingArguments
{
    private static readonly GenerationOptions Defaults = new();

    private static readonly Option<int> MaxTokens = Of("--max-tokens", "Generated tokens at most.", 200);
    private static readonly Option<bool> Greedy = Of<bool>("--greedy", "Always the most likely token; same as --temperature 0.");
    private static readonly Option<float> Temperature = Of("--temperature", "Lower is bolder; 0 is greedy.", Defaults.Temperature);
    private static readonly Option<int> TopK = Of("--top-k", "Only the k most likely tokens; 0 is off.", Defaults.TopK);
    private static readonly Option<float> TopP = Of("--top-p", "Only the tokens that hold this probability; 1 is off.", Defaults.TopP);
    private static readonly Option<float> MinP = Of("--min-p", "Only tokens this likely beside the most likely; 0 is off.", Defaults.MinP);
    private static readonly Option<float> TypicalP =
        Of("--typical-p", "Only the tokens of about the expected information that hold this probability; 1 is off.", Defaults.TypicalP);
    private static readonly Option<float> RepetitionPenalty =
        Of("--repetition-penalty", "Makes tokens that were used less likely; 1 is off.", Defaults.RepetitionPenalty);
    private static readonly Option<float> PresencePenalty =
        Of("--presence-penalty", "Taken from the logits of tokens that the answer holds; 0 is off.", Defaults.PresencePenalty);
    private static readonly Option<float> FrequencyPenalty =
        Of("--frequency-penalty", "Taken from a token's logit for each time that the answer holds it; 0 is off.", Defaults.FrequencyPenalty);
    private static readonly Option<Dictionary<int, float>?> LogitBias =
        new("--logit-bias") { Description = "ID=NUMBER, added to a token's logit; -inf forbids it. May be given several times.", CustomParser = ParseBias };
    private static readonly Option<ulong?> Seed = Of<ulong?>("--seed", "Makes the answer repeatable.");
    private static readonly Option<string[]> Stop = Of<string[]>("--stop", "A text that ends the answer; may be given several times.");
    private static readonly Option<int[]> StopToken = Of<int[]>("--stop-token", "A token id that ends the answer; may be given several times.");
    private static readonly Option<bool> IgnoreEos = Of<bool>("--ignore-eos", "Goes on past the end-of-sequence token.");
    private static readonly Option<string?> JsonSchema = Of<string?>("--json-schema", "A file with the JSON Schema that the answer must follow.");

    public static IReadOnlyList<Option> All { get; } =
    [
        MaxTokens, Greedy, Temperature, TopK, TopP, MinP, TypicalP, RepetitionPenalty, PresencePenalty, FrequencyPenalty, LogitBias, Seed, Stop, StopToken,
        IgnoreEos, JsonSchema,
    ];

    /// <exception cref="ArgumentException">The schema is none.</exception>
    /// <exception cref="IOException">Its file cannot be read.</exception>
    public static GenerationOptions Options(ParseResult arguments) => new()
    {
        MaxNewTokens = arguments.GetValue(MaxTokens),
        Temperature = arguments.GetValue(Greedy) ? 0 : arguments.GetValue(Temperature),
        TopK = arguments.GetValue(TopK),
        TopP = arguments.GetValue(TopP),
        MinP = arguments.GetValue(MinP),
        TypicalP = arguments.GetValue(TypicalP),
        RepetitionPenalty = arguments.GetValue(RepetitionPenalty),
        PresencePenalty = arguments.GetValue(PresencePenalty),
        FrequencyPenalty = arguments.GetValue(FrequencyPenalty),
        LogitBias = arguments.GetValue(LogitBias) ?? [],
        Seed = arguments.GetValue(Seed),
        StopStrings = arguments.GetValue(Stop) ?? [],
        StopTokens = arguments.GetValue(StopToken) ?? [],
        IgnoreEndOfSequence = arguments.GetValue(IgnoreEos),
        Grammar = arguments.GetValue(JsonSchema) is { } file ? Schema(file) : null,
    };

    private static Grammar Schema(string file)
    {
        string schema = TextFile.Read(file, "a JSON Schema");
        try
        {
            return Grammar.FromJsonSchema(schema);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{file}: {e.Message}", e);
        }
    }

    private static Dictionary<int, float>? ParseBias(ArgumentResult result)
    {
        var biases = new Dictionary<int, float>();
        foreach (string text in result.Tokens.Select(token => token.Value))
        {
            string[] parts = text.Split('=', ':');
            if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id) || !TryParse(parts[1], out float bias))
            {
                result.AddError($"--logit-bias: '{text}' is no ID=NUMBER; expected for example 17=-2.5, or 17=-inf to forbid token 17.");
                return null;
            }
            biases[id] = bias;
        }
        return biases;
    }

    private static bool TryParse(string text, out float bias)
    {
        bias = text == "-inf" ? float.NegativeInfinity : 0;
        return text == "-inf" || (float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out bias) && float.IsFinite(bias));
    }
}
