namespace LatentMoE.Runtime;

/// <summary>
/// How to choose tokens and when to stop. The choice applies, in this order: logit bias, repetition, presence and frequency penalty, grammar,
/// temperature, top-k, top-p, min-p, typical; then it draws. Of tokens with equal logits the lower id counts as the more likely.
/// </summary>
public sealed record GenerationOptions
{
    private const int MaxLogprobs = 20;

    /// <summary>The most likely token at every step.</summary>
    public static GenerationOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Generated tokens at most; the context may end earlier.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Divides the logits: 1 as trained, lower is bolder; 0 takes the most likely token.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the fewest most likely tokens that hold this probability (nucleus sampling, arXiv 1904.09751); 1 keeps all.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Keeps tokens at least this fraction as likely as the most likely one (arXiv 2407.01082); 0 keeps all.</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Keeps the tokens whose information is nearest to the expected one, the fewest that hold this probability
    /// (locally typical sampling, arXiv 2202.00666), of those that the other limits leave; 1 keeps all.
    /// </summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>
    /// Makes tokens of the prompt and the answer less likely (arXiv 1909.05858): positive logits are divided by it, negative
    /// ones multiplied; 1 changes nothing.
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Is taken from the logits of tokens that the answer holds already; 0 changes nothing.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Is taken from a token's logit once for each time that the answer holds it; 0 changes nothing.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Is added to the logits of these tokens; −∞ forbids one.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>
    /// The same seed, model, prompt and options give the same tokens; null draws one, found in
    /// <see cref="GenerationStatistics.Seed"/>.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>Texts that end the answer when they appear in it; they are left out.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Tokens that end the answer, as the model's end-of-sequence token does; they have no text.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>
    /// How many of the most likely tokens a piece names with their log-probabilities, beside that of its own token: 0 to 20; null for
    /// none at all. They are those of the model, before penalties, bias, grammar, temperature and truncation.
    /// </summary>
    public int? Logprobs { get; init; }

    /// <summary>The form that the answer must have; null leaves it free.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>
    /// Goes on past the model's end-of-sequence token (for measurements and comparisons); an answer in a <see cref="Grammar"/> ends there
    /// all the same.
    /// </summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>Whether a text prompt begins with the beginning-of-sequence token; null as the package's tokenizer_config.json says.</summary>
    public bool? AddBeginOfSequence { get; init; }

    /// <exception cref="ArgumentException">A value is out of its range; the message gives value and range.</exception>
    internal void Validate()
    {
        Require(MaxNewTokens >= 1, nameof(MaxNewTokens), MaxNewTokens, "at least 1");
        Require(float.IsFinite(Temperature) && Temperature >= 0, nameof(Temperature), Temperature, "0 (greedy) or a positive number");
        Require(TopK >= 0, nameof(TopK), TopK, "0 (off) or a positive number");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "more than 0 and at most 1 (off)");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "from 0 (off) to 1");
        Require(float.IsFinite(RepetitionPenalty) && RepetitionPenalty > 0, nameof(RepetitionPenalty), RepetitionPenalty,
            "a positive number; 1 is off");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "more than 0 and at most 1 (off)");
        Require(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number; 0 is off");
        Require(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number; 0 is off");
        Require(LogitBias is not null, nameof(LogitBias), "null", "a dictionary, empty for none");
        foreach (var (token, bias) in LogitBias!)
        {
            Require(float.IsFinite(bias) || float.IsNegativeInfinity(bias), $"{nameof(LogitBias)}[{token}]", bias, "a finite number, or −∞ to forbid the token");
        }
        Require(Logprobs is null or (>= 0 and <= MaxLogprobs), nameof(Logprobs), Logprobs!, $"null (off) or 0 to {MaxLogprobs}");
        Require(StopTokens is not null, nameof(StopTokens), "null", "a list, empty for none");
        Require(StopStrings is not null && StopStrings.All(s => !string.IsNullOrEmpty(s)), nameof(StopStrings), "null or holds an empty text",
            "a list of texts of at least one character");
    }

    /// <summary>Also checks the tokens that the options name.</summary>
    /// <param name="vocabulary">Logits of a step.</param>
    /// <exception cref="ArgumentException">A value is out of its range; the message gives value and range.</exception>
    internal void Validate(int vocabulary)
    {
        Validate();
        foreach (int token in LogitBias.Keys)
        {
            Require((uint)token < (uint)vocabulary, $"A token of {nameof(LogitBias)}", token, $"an id from 0 to {vocabulary - 1}");
        }
        foreach (int token in StopTokens)
        {
            Require((uint)token < (uint)vocabulary, $"A token of {nameof(StopTokens)}", token, $"an id from 0 to {vocabulary - 1}");
        }
    }

    private static void Require(bool ok, string name, object value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"{name} is {value}; expected {range}.");
        }
    }
}
