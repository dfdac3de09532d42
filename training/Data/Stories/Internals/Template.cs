using System.Text;

namespace LatentMoE.Training.Data.Stories.Internals;

/// <summary>
/// The stories' grammar: <c>[a|b|]</c> is one of its parts, which may be nested and may be empty; <c>{name}</c> is a fact of the story;
/// <c>{a name}</c> is the fact with its indefinite article; <c>^</c> makes the next letter a capital.
/// </summary>
internal static class Template
{
    /// <summary>
    /// An expansion with a capital letter at the start of every sentence and of everything said ("Look," he said, "over there."
    /// is one sentence and says one thing). A saying that ends in ! or ? may end
    /// its sentence or not, so after it a capital comes only from a name or from <c>^</c>.
    /// </summary>
    public static string Sentence(string template, Story story)
    {
        var text = new StringBuilder();
        bool start = true, quoted = false, spoken = false;
        string expanded = Expand(template, story);
        for (int i = 0; i < expanded.Length; i++)
        {
            char c = expanded[i];
            switch (c)
            {
                case '^':
                    start = true;
                    continue;
                case '"':
                    quoted = !quoted;
                    start |= quoted && !spoken;
                    spoken |= !quoted && text[^1] == ',';
                    break;
                case '.' or '!' or '?':
                    start = c == '.' || !(quoted && i + 1 < expanded.Length && expanded[i + 1] == '"');
                    spoken &= !start;
                    break;
                case >= 'a' and <= 'z' when start:
                    c = char.ToUpperInvariant(c);
                    start = false;
                    break;
                default:
                    start &= !char.IsAsciiLetter(c);
                    break;
            }
            text.Append(c);
        }
        return text.ToString();
    }

    public static string Expand(string template, Story story)
    {
        var text = new StringBuilder();
        for (int i = 0; i < template.Length; i++)
        {
            switch (template[i])
            {
                case '[':
                    int end = Closing(template, i);
                    text.Append(Expand(story.Pick(Parts(template, i + 1, end)), story));
                    i = end;
                    break;
                case '{':
                    int close = template.IndexOf('}', i);
                    text.Append(Fact(template[(i + 1)..close], story));
                    i = close;
                    break;
                default:
                    text.Append(template[i]);
                    break;
            }
        }
        return text.ToString();
    }

    private static string Fact(string name, Story story)
    {
        if (!name.StartsWith("a ", StringComparison.Ordinal))
        {
            return story[name];
        }
        string value = story[name[2..]];
        return (value[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an " : "a ") + value;
    }

    private static int Closing(string template, int open)
    {
        int depth = 0;
        for (int i = open; ; i++)
        {
            depth += template[i] == '[' ? 1 : template[i] == ']' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }
    }

    private static List<string> Parts(string template, int start, int end)
    {
        var parts = new List<string>();
        int depth = 0, from = start;
        for (int i = start; i < end; i++)
        {
            depth += template[i] == '[' ? 1 : template[i] == ']' ? -1 : 0;
            if (template[i] == '|' && depth == 0)
            {
                parts.Add(template[from..i]);
                from = i + 1;
            }
        }
        parts.Add(template[from..end]);
        return parts;
    }
}
