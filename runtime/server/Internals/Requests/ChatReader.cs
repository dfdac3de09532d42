using System.Text.Json;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Answers;
using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>Reads a request of <c>/v1/chat/completions</c>.</summary>
internal sealed class ChatReader(ServedModel served, ServerOptions server)
{
    private const string Messages = "messages";

    public GenerationRequest Read(JsonFields fields)
    {
        var common = new CommonFields(fields, served, server);
        common.CheckModel();
        RefuseTools(fields);
        int[] prompt = common.CheckLength(Encode(fields), Messages);
        return new GenerationRequest
        {
            Prompts = [prompt],
            Choices = common.Choices(1),
            Options = common.Options(["max_completion_tokens", "max_tokens"], null, Logprobs(fields)),
            Stream = common.Stream,
            IncludeUsage = common.IncludeUsage,
            Format = new ChatFormat(served, common.Experts),
        };
    }

    private static void RefuseTools(JsonFields fields)
    {
        const string remedy = "The model calls no tools: leave it out.";
        fields.Refuse("tools", remedy);
        fields.Refuse("functions", remedy);
        fields.Refuse("audio", "Answers are text.");
        if (fields.Find("modalities") is { ValueKind: JsonValueKind.Array } kinds && kinds.EnumerateArray().Any(kind => fields.Text(kind, "modalities", "[\"text\"]") != "text"))
        {
            throw fields.Wrong("modalities", kinds, "[\"text\"]");
        }
    }

    private static int? Logprobs(JsonFields fields)
    {
        int? top = fields.Integer("top_logprobs", 0, 20);
        return fields.Flag("logprobs") is true ? top ?? 0 : top is null or 0 ? null
            : throw ApiException.Invalid("top_logprobs goes with \"logprobs\": true only.", "top_logprobs");
    }

    private int[] Encode(JsonFields fields)
    {
        var template = served.ChatTemplate ?? throw ApiException.Invalid(
            $"The model {served.Name} has no chat template. Use /v1/completions, or start the server with --chat-template FILE.", code: "no_chat_template");
        var turns = fields.Objects(Messages) is { Count: > 0 } messages ? messages.Select(Turn).ToArray() : throw fields.Missing(Messages, "a list of at least one message");
        try
        {
            return served.Model.EncodeChat(turns, template);
        }
        catch (ArgumentException e)
        {
            throw ApiException.Invalid(e.Message, Messages);
        }
    }

    private static ChatTurn Turn(JsonFields message)
    {
        const string roles = "system, developer, user or assistant";
        string role = message.Text("role") ?? throw message.Missing("role", roles);
        message.Refuse("tool_calls", "The model calls no tools.");
        message.Refuse("function_call", "The model calls no tools.");
        return role switch
        {
            "system" or "user" or "assistant" => new ChatTurn(role, Content(message)),
            "developer" => new ChatTurn("system", Content(message)), // OpenAI's newer name for it, which templates do not know
            _ => throw message.Wrong("role", message.Find("role")!.Value, roles),
        };
    }

    private static string Content(JsonFields message)
    {
        const string name = "content", expected = "a string or a list of text parts";
        var value = message.Find(name) ?? throw message.Missing(name, expected);
        return value.ValueKind == JsonValueKind.Array ? string.Concat(message.Objects(name)!.Select(Part)) : message.Text(value, name, expected);
    }

    private static string Part(JsonFields part) => part.Text("type") switch
    {
        "text" => part.Text("text") ?? throw part.Missing("text", "a string"),
        null => throw part.Missing("type", "text"),
        var type => throw ApiException.Invalid($"{part.Path("type")} is {type}; expected text: the model reads nothing else.", part.Path("type"), "unsupported_parameter"),
    };
}
