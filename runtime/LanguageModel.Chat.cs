using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Packages;

namespace LatentMoE.Runtime;

public sealed partial class LanguageModel
{
    private readonly Lock _chatGate = new();
    private ChatTemplate? _chatTemplate;
    private bool _chatTemplateRead;

    /// <summary>How the model writes conversations; null where the package has no chat template.</summary>
    /// <exception cref="CheckpointException">The package's template cannot be read; the message names file, line and what is wrong.</exception>
    public ChatTemplate? ChatTemplate
    {
        get
        {
            lock (_chatGate)
            {
                if (!_chatTemplateRead)
                {
                    _chatTemplate = ChatTemplateFile.Load(_package.Folder);
                    _chatTemplateRead = true;
                }
                return _chatTemplate;
            }
        }
    }

    /// <summary>Another template than the package's, with this model's special tokens.</summary>
    /// <exception cref="ArgumentException">The text is no template.</exception>
    public ChatTemplate CreateChatTemplate(string source) => new(source, ChatTemplateFile.SpecialTokens(_package.Folder));

    /// <summary>
    /// The prompt of a conversation, for the overloads of Generate that take token ids: the template writes every special token, and nothing is
    /// prepended. A special token's text inside a message is encoded as the plain text that it is, so that nobody can end a turn or begin one
    /// from within a message (Hugging Face's tokenizers would take it for the token).
    /// </summary>
    /// <param name="template">Null takes <see cref="ChatTemplate"/>.</param>
    /// <param name="addGenerationPrompt">Whether it ends where the assistant's answer begins.</param>
    /// <exception cref="NotSupportedException">The package has no chat template, and none was given.</exception>
    /// <exception cref="ArgumentException">The template refuses the conversation, in its own words, or uses what cannot be rendered.</exception>
    public int[] EncodeChat(IReadOnlyList<ChatTurn> turns, ChatTemplate? template = null, bool addGenerationPrompt = true)
    {
        ArgumentNullException.ThrowIfNull(turns);
        template ??= ChatTemplate ?? throw new NotSupportedException(
            $"{Folder}: the package has no chat template; expected chat_template in {ModelPackage.TokenizerConfigName}, or a file {ChatTemplateFile.FileName}.");
        char seam = UnusedCharacter(turns, template);
        string[] special = [.. _package.Tokenizer.SpecialTokens.Keys.Where(token => token.Length > 1).OrderByDescending(token => token.Length)];
        string Part(string text) => special.Aggregate(text, (part, token) => part.Replace(token, $"{token[0]}{seam}{token[1..]}", StringComparison.Ordinal));
        var parted = turns.Select(turn => turn is { Role: not null, Content: not null } ? new ChatTurn(Part(turn.Role), Part(turn.Content)) : turn);
        return _package.Tokenizer.Encode(template.Render([.. parted], addGenerationPrompt), seam);
    }

    // Of the characters that Unicode leaves to private use, and that no text of the conversation has.
    private static char UnusedCharacter(IReadOnlyList<ChatTurn> turns, ChatTemplate template)
    {
        const char First = '\uE000', Last = '\uF8FF';
        var used = new HashSet<char>(turns.SelectMany(turn => $"{turn?.Role}{turn?.Content}").Concat(template.Source).Where(c => c is >= First and <= Last));
        for (char c = First; c <= Last; c++)
        {
            if (!used.Contains(c))
            {
                return c;
            }
        }
        throw new ArgumentException("The conversation uses every character of Unicode's private-use area; at least one must be left.");
    }
}
