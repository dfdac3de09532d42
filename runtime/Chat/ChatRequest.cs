using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace LatentMoE.Runtime;

/// <summary>Microsoft.Extensions.AI's request in this library's words; what has no counterpart is refused by name.</summary>
internal static class ChatRequest
{
    public static IReadOnlyList<ChatTurn> Turns(IEnumerable<ChatMessage> messages, string? instructions)
    {
        List<ChatTurn> turns = string.IsNullOrEmpty(instructions) ? [] : [new(ChatRole.System.Value, instructions)];
        turns.AddRange(messages.Select((message, i) => new ChatTurn(message.Role.Value, string.Concat(message.Contents.Select(content => Text(content, i))))));
        return turns;
    }

    /// <exception cref="NotSupportedException">An option asks for what this library does not do.</exception>
    /// <exception cref="ArgumentException">An option has a value of a wrong kind.</exception>
    public static GenerationOptions Options(ChatOptions? options, GenerationOptions defaults, LatentMoEChatClient client)
    {
        if (options is null)
        {
            return defaults;
        }
        Refuse(options.Tools is { Count: > 0 }, nameof(options.Tools), "the model calls no tools");
        Refuse(options.ToolMode is RequiredChatToolMode, nameof(options.ToolMode), "the model calls no tools");
        Refuse(!string.IsNullOrEmpty(options.ConversationId), nameof(options.ConversationId), "conversations are not kept; send all messages");
        Refuse(options.AllowBackgroundResponses == true, nameof(options.AllowBackgroundResponses), "answers are not kept");
        if (options.ModelId is string model && model != client.ModelName)
        {
            throw new ArgumentException($"{nameof(ChatOptions)}.{nameof(options.ModelId)} is \"{model}\"; this client has \"{client.ModelName}\" only.");
        }
        var start = options.RawRepresentationFactory?.Invoke(client) as GenerationOptions ?? defaults;
        return start with
        {
            MaxNewTokens = options.MaxOutputTokens ?? start.MaxNewTokens,
            Temperature = options.Temperature ?? start.Temperature,
            TopK = options.TopK ?? start.TopK,
            TopP = options.TopP ?? start.TopP,
            MinP = Number(options, "min_p") ?? start.MinP,
            TypicalP = Number(options, "typical_p") ?? start.TypicalP,
            RepetitionPenalty = Number(options, "repetition_penalty") ?? start.RepetitionPenalty,
            FrequencyPenalty = options.FrequencyPenalty ?? start.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty ?? start.PresencePenalty,
            Seed = options.Seed is long seed ? unchecked((ulong)seed) : start.Seed,
            StopStrings = options.StopSequences is { Count: > 0 } stops ? [.. stops] : start.StopStrings,
            Grammar = options.ResponseFormat switch
            {
                null => start.Grammar,
                ChatResponseFormatText => null,
                ChatResponseFormatJson { Schema: { } schema } => Grammar.FromJsonSchema(schema.GetRawText()),
                ChatResponseFormatJson => Grammar.JsonObject,
                var other => throw new NotSupportedException($"{nameof(ChatOptions)}.{nameof(options.ResponseFormat)} is {other.GetType().Name}; text and JSON are supported."),
            },
        };
    }

    private static string Text(AIContent content, int message) => content is TextContent text ? text.Text : throw new NotSupportedException(
        $"Message {message} holds {content.GetType().Name}; the model reads text only ({nameof(TextContent)}).");

    private static void Refuse(bool asked, string option, string why)
    {
        if (asked)
        {
            throw new NotSupportedException($"{nameof(ChatOptions)}.{option} is set, but {why}.");
        }
    }

    private static float? Number(ChatOptions options, string name) => options.AdditionalProperties?.GetValueOrDefault(name) switch
    {
        null => null,
        JsonElement { ValueKind: JsonValueKind.Number } number => number.GetSingle(),
        float or double or decimal or int or long => Convert.ToSingle(options.AdditionalProperties[name], CultureInfo.InvariantCulture),
        var other => throw new ArgumentException($"{nameof(ChatOptions)}.{nameof(options.AdditionalProperties)}[\"{name}\"] is {other}; expected a number."),
    };
}
