using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>The fields that completions and chat have in common: OpenAI's, and vLLM's names for what OpenAI lacks.</summary>
internal sealed class CommonFields(JsonFields fields, ServedModel served, ServerOptions server)
{
    private const int MostStops = 16, MostStopTokens = 1024;

    public bool Stream => fields.Flag("stream") ?? false;

    public bool Experts => fields.Flag("experts") ?? false;

    public bool IncludeUsage
    {
        get
        {
            var options = fields.Object("stream_options");
            return options is null || Stream ? options?.Flag("include_usage") ?? false
                : throw ApiException.Invalid("stream_options goes with \"stream\": true only.", "stream_options");
        }
    }

    /// <exception cref="ApiException">The request names another model.</exception>
    public void CheckModel()
    {
        if (fields.Text("model") is { Length: > 0 } name && name != served.Name)
        {
            throw ApiException.Invalid($"There is no model of that name here; expected \"{served.Name}\".", "model", "model_not_found", 404);
        }
    }

    public int Choices(int prompts)
    {
        int n = fields.Integer("n", 1, int.MaxValue) ?? 1;
        return (long)n * prompts <= server.MaxChoices ? n : throw ApiException.Invalid(
            $"{prompts} prompts with {n} answers each are too many; expected {server.MaxChoices} answers in all at most.", "n", "too_many_choices");
    }

    /// <exception cref="ApiException">The prompt has more tokens than the server lets in.</exception>
    public int[] CheckLength(int[] prompt, string name)
    {
        int most = Math.Min(server.MaxPromptTokens ?? int.MaxValue, served.Model.ContextLength - 1);
        return prompt.Length <= most ? prompt : throw ApiException.Invalid(
            $"{name} has {prompt.Length} tokens; expected {most} at most.", name, "context_length_exceeded");
    }

    /// <param name="maxTokensNames">Where the number of tokens stands; the first that is there counts.</param>
    /// <param name="defaultMaxTokens">Null takes as many as may be.</param>
    public GenerationOptions Options(IReadOnlyList<string> maxTokensNames, int? defaultMaxTokens, int? logprobs) => new()
    {
        MaxNewTokens = MaxTokens(maxTokensNames, defaultMaxTokens),
        Temperature = fields.Number("temperature", 0, 2) ?? 1,
        TopP = fields.Number("top_p", 0, 1, aboveMin: true) ?? 1,
        TopK = Math.Max(0, fields.Integer("top_k", -1, int.MaxValue) ?? 0),
        MinP = fields.Number("min_p", 0, 1) ?? 0,
        TypicalP = fields.Number("typical_p", 0, 1, aboveMin: true) ?? 1,
        RepetitionPenalty = fields.Number("repetition_penalty", 0, 100, aboveMin: true) ?? 1,
        PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
        FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
        LogitBias = LogitBias(),
        Seed = fields.Seed("seed"),
        StopStrings = fields.Texts("stop", MostStops),
        StopTokens = StopTokens(),
        IgnoreEndOfSequence = fields.Flag("ignore_eos") ?? false,
        Logprobs = logprobs,
        Grammar = ResponseGrammar(),
    };

    private int MaxTokens(IReadOnlyList<string> names, int? fallback)
    {
        int most = server.MaxNewTokens ?? int.MaxValue;
        int? asked = names.Select(name => fields.Integer(name, 1, most)).FirstOrDefault(number => number is not null);
        return asked ?? Math.Min(most, fallback ?? served.Model.ContextLength);
    }

    private int[] StopTokens()
    {
        int[] ids = fields.Ids("stop_token_ids") ?? [];
        return ids.Length <= MostStopTokens && ids.All(id => id < served.Model.VocabularySize) ? ids
            : throw fields.Wrong("stop_token_ids", fields.Find("stop_token_ids")!.Value, $"up to {MostStopTokens} token ids below {served.Model.VocabularySize}");
    }

    // The lowest bias forbids a token, as OpenAI describes it.
    private Dictionary<int, float> LogitBias()
    {
        var bias = new Dictionary<int, float>();
        foreach (var (id, value) in fields.NumbersById("logit_bias", -100, 100))
        {
            bias[id] = value <= -100 ? float.NegativeInfinity : value;
            if (id >= served.Model.VocabularySize)
            {
                throw fields.Wrong("logit_bias", fields.Find("logit_bias")!.Value, $"token ids below {served.Model.VocabularySize}");
            }
        }
        return bias;
    }

    private Grammar? ResponseGrammar()
    {
        if (fields.Object("response_format") is not { } format)
        {
            return null;
        }
        switch (format.Text("type"))
        {
            case null:
                throw format.Missing("type", "text, json_object or json_schema");
            case "text":
                return null;
            case "json_object":
                return Grammar.JsonObject;
            case "json_schema":
                var named = format.Object("json_schema") ?? throw format.Missing("json_schema", "an object with a schema");
                var schema = named.Find("schema") ?? throw named.Missing("schema", "a JSON Schema");
                return Compile(schema.GetRawText(), named.Path("schema"));
            default:
                throw format.Wrong("type", format.Find("type")!.Value, "text, json_object or json_schema");
        }
    }

    private Grammar Compile(string schema, string name)
    {
        try
        {
            return served.Grammars.Get(schema);
        }
        catch (ArgumentException e)
        {
            throw ApiException.Invalid(e.Message, name, "invalid_schema");
        }
    }
}
