namespace LatentMoE.Runtime;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">system, user, assistant, or what else the template knows.</param>
public sealed record ChatTurn(string Role, string Content);

/// <summary>A model's own way to write a conversation as a prompt: the Jinja template of its tokenizer_config.json.</summary>
public sealed class ChatTemplate
{
    /// <exception cref="ArgumentException">The template is no Jinja, or uses what cannot be rendered; the message names it.</exception>
    public ChatTemplate(string source)
    {
        Source = source;
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>The prompt of a conversation.</summary>
    /// <param name="addGenerationPrompt">Whether it ends where the assistant's answer begins.</param>
    /// <exception cref="ArgumentException">The template refuses the conversation, in its own words.</exception>
    public string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) => throw new NotSupportedException("templates are not built yet");
}
