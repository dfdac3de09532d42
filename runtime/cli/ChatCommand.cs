using System.CommandLine;
using LatentMoE.Runtime;
using static LatentMoE.Cli.ModelArguments;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe chat</c>: a conversation, whose earlier turns the engine's prefix cache keeps.</summary>
internal static class ChatCommand
{
    private static readonly Option<string?> SystemText = Of<string?>("--system", "What stands before the conversation, as the system's turn.");
    private static readonly Option<int> DraftTokens = Of("--draft-tokens", "Tokens guessed at a step from what was said already; 0 is off.", 0);
    private static readonly Option<bool> Json = Of<bool>("--json", "Prints every answer as a JSON object on a line of its own.");

    public static Command Create()
    {
        var command = new Command("chat", "Answers lines from the terminal or a pipe, as a conversation.") { SystemText, TemplateArgument.File, DraftTokens, Json }
            .With([.. SamplingArguments.All, .. All]);
        command.SetAction((arguments, _) => RunAsync(arguments));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments)
    {
        var options = SamplingArguments.Options(arguments);
        using var model = Load(arguments);
        var conversation = new Conversation(model, TemplateArgument.Template(arguments, model)) { System = arguments.GetValue(SystemText) };
        await using var engine = new InferenceEngine(model, new EngineOptions { MaxRows = 1, DraftTokens = arguments.GetValue(DraftTokens) });
        await new ChatSession(engine, conversation, options, arguments.GetValue(Json)).RunAsync();
        return 0;
    }
}
