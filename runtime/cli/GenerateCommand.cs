using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LatentMoE.Runtime;
using static LatentMoE.Cli.ModelArguments;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe generate</c>: continues a prompt from the command line.</summary>
internal static class GenerateCommand
{
    private static readonly Option<string> Prompt = Of("--prompt", "The text to continue.", "Once upon a time");
    private static readonly Option<int[]?> Ids =
        new("--ids") { Description = "The prompt as token ids, e.g. 0,12,7; the answer is ids too.", CustomParser = ParseIds };
    private static readonly Option<bool> Echo = Of<bool>("--echo", "Prints the prompt before the answer in a pipe too.");
    private static readonly Option<bool> Json = Of<bool>("--json", "Prints one JSON object instead of the text.");
    private static readonly Option<int?> Logprobs =
        Of<int?>("--logprobs", "Adds to --json the log-probability of every token and of so many of the likeliest, 0 to 20.");

    public static Command Create()
    {
        var command = new Command("generate", "Continues a prompt.") { Prompt, Ids, Echo, Json, Logprobs }.With([.. SamplingArguments.All, .. All]);
        command.Validators.Add(result =>
        {
            if (Given(result, Ids) && Given(result, Prompt))
            {
                result.AddError("--ids and --prompt are both given; expected one prompt.");
            }
            if (Given(result, Logprobs) && !Given(result, Json))
            {
                result.AddError("--logprobs is given without --json, the only output that has them.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static bool Given(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var options = SamplingArguments.Options(arguments) with { Logprobs = arguments.GetValue(Logprobs) };
        using var model = Load(arguments);
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
