using LatentMoE.Runtime.Internals.Jinja;

namespace LatentMoE.Runtime;

/// <summary>
/// A model's own way to write a conversation as a prompt: the Jinja template of its tokenizer_config.json, rendered as Hugging Face's
/// <c>apply_chat_template</c> does. Templates come with a model, from anywhere: what one may cost is limited. Safe for use from many threads.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>Characters that a template may have; the longest in use have some tens of thousands.</summary>
    public const int MaxLength = 1 << 18;

    // Several times what the longest templates take.
    private const long StepsPerMessage = 2000, StepsPerCharacter = 100;

    private readonly JinjaTemplate _template;
    private readonly IReadOnlyDictionary<string, string> _tokens;

    /// <param name="specialTokens">What the template finds under names such as <c>bos_token</c> and <c>eos_token</c>.</param>
    /// <exception cref="ArgumentException">The text is no Jinja template, or has a statement that cannot be rendered; the message names it and its line.</exception>
    public ChatTemplate(string source, IReadOnlyDictionary<string, string>? specialTokens = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > MaxLength)
        {
            throw new ArgumentException($"The chat template has {source.Length} characters; at most {MaxLength} may be.");
        }
        Source = source;
        _tokens = specialTokens is null ? new Dictionary<string, string>() : new Dictionary<string, string>(specialTokens);
        try
        {
            _template = JinjaTemplate.Parse(source);
        }
        catch (JinjaException e)
        {
            throw new ArgumentException($"The chat template cannot be read: {e.Message}.", e);
        }
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>
    /// The prompt of a conversation. It holds the special tokens that the model wants, so encode it without a further beginning-of-sequence token;
    /// <see cref="LanguageModel.EncodeChat"/> does, and keeps what looks like a special token in a message from becoming one.
    /// </summary>
    /// <param name="addGenerationPrompt">Whether it ends where the assistant's answer begins.</param>
    /// <exception cref="ArgumentException">The template refuses the conversation, in its own words, or uses what cannot be rendered.</exception>
    public string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true)
    {
        ArgumentNullException.ThrowIfNull(turns);
        if (turns.Count == 0)
        {
            throw new ArgumentException("The conversation has no messages; expected at least one.");
        }
        var names = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["messages"] = turns.Select((turn, i) => (object?)Message(turn, i)).ToList(),
            ["add_generation_prompt"] = addGenerationPrompt,
            ["tools"] = null,
            ["documents"] = null,
        };
        foreach (var (name, token) in _tokens)
        {
            names[name] = token;
        }
        try
        {
            return _template.Render(names, steps: JinjaTemplate.Steps + turns.Sum(turn => StepsPerMessage + (StepsPerCharacter * (turn.Content.Length + turn.Role.Length))));
        }
        catch (JinjaException e)
        {
            throw new ArgumentException(e.Refusal is string refusal
                ? $"The chat template refuses the conversation: {refusal}"
                : $"The chat template cannot be rendered: {e.Message}.", e);
        }
    }

    private static Mapping Message(ChatTurn turn, int index) => turn is { Role: not null, Content: not null }
        ? new Mapping { ["role"] = turn.Role, ["content"] = turn.Content }
        : throw new ArgumentException($"Message {index} of the conversation has no {(turn?.Role is null ? "role" : "content")}.");
}
