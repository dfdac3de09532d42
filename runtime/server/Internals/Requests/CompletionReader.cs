using System.Text.Json;
using LatentMoE.Server.Internals.Answers;
using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>Reads a request of <c>/v1/completions</c>.</summary>
internal sealed class CompletionReader(ServedModel served, ServerOptions server)
{
    private const int DefaultMaxTokens = 16; // OpenAI's
    private const string Prompt = "prompt";

    public GenerationRequest Read(JsonFields fields)
    {
        var common = new CommonFields(fields, served, server);
        common.CheckModel();
        fields.Refuse("suffix", "The model continues a text; it cannot fill a gap.");
        var prompts = Prompts(fields).Select(p => common.CheckLength(p, Prompt)).ToArray();
        int choices = common.Choices(prompts.Length);
        CheckBestOf(fields, choices);
        int? logprobs = fields.Integer("logprobs", 0, 20);
        bool echo = fields.Flag("echo") ?? false;
        if (echo && logprobs is not null)
        {
            throw ApiException.Invalid("echo and logprobs together are not supported: the prompt's log-probabilities are not computed.", "echo", "unsupported_parameter");
        }
        return new GenerationRequest
        {
            Prompts = prompts,
            Choices = choices,
            Options = common.Options(["max_tokens"], DefaultMaxTokens, logprobs),
            Stream = common.Stream,
            IncludeUsage = common.IncludeUsage,
            Format = new CompletionFormat(served, common.Experts, echo ? [.. prompts.SelectMany(p => Enumerable.Repeat(served.Model.Decode(p), choices))] : null),
        };
    }

    private int[][] Prompts(JsonFields fields)
    {
        const string expected = "a string, a list of token ids, or a list of either";
        var value = fields.Find(Prompt) ?? throw fields.Missing(Prompt, expected);
        if (value.ValueKind == JsonValueKind.String)
        {
            return [Encode(fields, value)];
        }
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            throw fields.Wrong(Prompt, value, expected);
        }
        return value[0].ValueKind switch
        {
            JsonValueKind.Number => [Ids(fields, value)],
            JsonValueKind.String => [.. Several(value).Select(item => Encode(fields, item))],
            JsonValueKind.Array => [.. Several(value).Select(item => Ids(fields, item))],
            _ => throw fields.Wrong(Prompt, value[0], expected),
        };
    }

    private IEnumerable<JsonElement> Several(JsonElement list) => list.GetArrayLength() <= server.MaxChoices ? list.EnumerateArray() : throw ApiException.Invalid(
        $"{Prompt} holds {list.GetArrayLength()} prompts; expected {server.MaxChoices} answers in all at most.", Prompt, "too_many_choices");

    private int[] Ids(JsonFields fields, JsonElement list)
    {
        int[] ids = fields.Ids(list, Prompt);
        int wrong = Array.FindIndex(ids, id => id >= served.Model.VocabularySize);
        return wrong < 0 ? ids : throw ApiException.Invalid(
            $"Token {wrong} of the prompt is {ids[wrong]}; ids go from 0 to {served.Model.VocabularySize - 1}.", Prompt, "invalid_value");
    }

    private int[] Encode(JsonFields fields, JsonElement text) => served.Model.EncodePrompt(fields.Text(text, Prompt, "a string"));

    private static void CheckBestOf(JsonFields fields, int choices)
    {
        if (fields.Integer("best_of", 1, int.MaxValue) is { } best && best != choices)
        {
            throw ApiException.Invalid($"best_of is {best}; expected n ({choices}): answers are not ranked.", "best_of", "unsupported_parameter");
        }
    }
}
