using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe generate</c>: continues a prompt from the command line.</summary>
internal static class GenerateCommand
{
    private static readonly GenerationOptions Defaults = new();

    private static readonly Option<string> Model = Of<string>("--model", "The package folder, e.g. artifacts/models/tiny-f32.");
    private static readonly Option<string> Prompt = Of("--prompt", "The text to continue.", "Once upon a time");
    private static readonly Option<int[]?> Ids = Of<int[]?>("--ids", "The prompt as token ids, e.g. 0,12,7; the answer is ids too.");
    private static readonly Option<int> MaxTokens = Of("--max-tokens", "Generated tokens at most.", 200);
    private static readonly Option<bool> Greedy = Of<bool>("--greedy", "Always the most likely token; same as --temperature 0.");
    private static readonly Option<float> Temperature = Of("--temperature", "Lower is bolder; 0 is greedy.", Defaults.Temperature);
    private static readonly Option<int> TopK = Of("--top-k", "Only the k most likely tokens; 0 is off.", Defaults.TopK);
    private static readonly Option<float> TopP = Of("--top-p", "Only the tokens that hold this probability; 1 is off.", Defaults.TopP);
    private static readonly Option<float> MinP = Of("--min-p", "Only tokens this likely beside the most likely; 0 is off.", Defaults.MinP);
    private static readonly Option<float> RepetitionPenalty =
        Of("--repetition-penalty", "Makes tokens that were used less likely; 1 is off.", Defaults.RepetitionPenalty);
    private static readonly Option<ulong?> Seed = Of<ulong?>("--seed", "Makes the answer repeatable.");
    private static readonly Option<string[]> Stop = Of<string[]>("--stop", "A text that ends the answer; may be given several times.");
    private static readonly Option<bool> IgnoreEos = Of<bool>("--ignore-eos", "Goes on past the end-of-sequence token.");
    private static readonly Option<bool> Echo = new("--echo") { Description = "Prints the prompt before the answer in a pipe too." };
    private static readonly Option<bool> Json = Of<bool>("--json", "Prints one JSON object instead of the text.");
    private static readonly Option<Device> On = Of("--device", "Where to run.", Device.Auto);
    private static readonly Option<int?> Threads = Of<int?>("--threads", "Threads inside an operator.");
    private static readonly Option<string?> Operators = Of<string?>("--operators", "The native operator library; \"none\" for standard operators.");

    public static Command Create()
    {
        Model.Required = true;
        Ids.CustomParser = ParseIds;
        var command = new Command("generate", "Continues a prompt.")
        {
            Model, Prompt, Ids, MaxTokens, Greedy, Temperature, TopK, TopP, MinP, RepetitionPenalty, Seed, Stop, IgnoreEos, Echo, Json, On, Threads,
            Operators,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Ids) is { Implicit: false } && result.GetResult(Prompt) is { Implicit: false })
            {
                result.AddError("--ids and --prompt are both given; expected one prompt.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static Option<T> Of<T>(string name, string description) => new(name) { Description = description };

    private static Option<T> Of<T>(string name, string description, T fallback) =>
        new(name) { Description = description, DefaultValueFactory = _ => fallback };

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var options = new GenerationOptions
        {
            MaxNewTokens = arguments.GetValue(MaxTokens),
            Temperature = arguments.GetValue(Greedy) ? 0 : arguments.GetValue(Temperature),
            TopK = arguments.GetValue(TopK),
            TopP = arguments.GetValue(TopP),
            MinP = arguments.GetValue(MinP),
            RepetitionPenalty = arguments.GetValue(RepetitionPenalty),
            Seed = arguments.GetValue(Seed),
            StopStrings = arguments.GetValue(Stop) ?? [],
            IgnoreEndOfSequence = arguments.GetValue(IgnoreEos),
        };
        string? library = arguments.GetValue(Operators);
        using var model = LanguageModel.Load(arguments.GetValue(Model)!, new LanguageModelOptions
        {
            Device = arguments.GetValue(On),
            Threads = arguments.GetValue(Threads),
            MaxConcurrency = 1,
            OperatorLibrary = library == "none" ? null : library,
            UseOperatorLibrary = library != "none",
        });
        string prompt = arguments.GetValue(Prompt)!;
        int[]? ids = arguments.GetResult(Ids) is null ? null : arguments.GetValue(Ids);
        var pieces = ids is null ? model.GenerateAsync(prompt, options, cancellation) : model.GenerateAsync(ids, options, cancellation);
        IAnswerWriter writer = arguments.GetValue(Json) ? new JsonAnswer() : ids is null ? new TextAnswer(prompt, arguments.GetValue(Echo)) : new IdAnswer();
        try
        {
            await foreach (var piece in pieces)
            {
                writer.Write(piece);
            }
        }
        finally
        {
            writer.End();
        }
        return 0;
    }

    private static int[]? ParseIds(ArgumentResult result)
    {
        string text = string.Join(',', result.Tokens.Select(token => token.Value));
        var ids = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                result.AddError($"--ids: '{part}' is not a token id; expected whole numbers separated by commas.");
                return null;
            }
            ids.Add(id);
        }
        return [.. ids];
    }
}
