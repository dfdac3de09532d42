using System.Globalization;
using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Strings as Python has them: sequences of code points; and values as Python's <c>str</c> and <c>repr</c> write them.</summary>
internal static class PythonText
{
    public static IEnumerable<string> Characters(string text) => text.EnumerateRunes().Select(rune => rune.ToString());

    public static long Length(string text) => text.EnumerateRunes().Count();

    /// <summary>What Python's strip takes from the ends when it is given no characters.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string Strip(string text, string? characters, bool start = true, bool end = true)
    {
        bool Goes(char c) => characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
        int from = 0, to = text.Length;
        while (start && from < to && Goes(text[from]))
        {
            from++;
        }
        while (end && to > from && Goes(text[to - 1]))
        {
            to--;
        }
        return text[from..to];
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    /// <summary>Every word's first letter large, the others small.</summary>
    /// <param name="ends">What ends a word: the method and the filter differ.</param>
    public static string Title(string text, Func<char, bool> ends)
    {
        var result = new StringBuilder(text.Length);
        bool inside = false;
        foreach (char c in text)
        {
            result.Append(inside ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            inside = !ends(c);
        }
        return result.ToString();
    }

    /// <summary>A value as <c>{{ }}</c> prints it.</summary>
    public static string Print(object? value, Budget budget)
    {
        if (value is string plain)
        {
            budget.Spend(plain.Length);
            return plain;
        }
        var text = new StringBuilder();
        Write(text, value, budget, nested: false, depth: 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value, Budget budget, bool nested, int depth)
    {
        budget.Spend(1);
        if (depth > Budget.MaxDepth)
        {
            throw new JinjaException($"a value holds others more than {Budget.MaxDepth} deep");
        }
        switch (value)
        {
            case null: text.Append("None"); break;
            case Undefined: text.Append(nested ? "Undefined" : ""); break;
            case bool flag: text.Append(flag ? "True" : "False"); break;
            case long number: text.Append(CultureInfo.InvariantCulture, $"{number}"); break;
            case double number: text.Append(Values.Number(number)); break;
            case string part: Quote(text, part, budget); break;
            case IReadOnlyList<object?> list:
                text.Append(list is object?[] ? '(' : '[');
                foreach (var (index, item) in list.Index())
                {
                    text.Append(index > 0 ? ", " : "");
                    Write(text, item, budget, nested: true, depth + 1);
                }
                text.Append(list is object?[] ? list.Count == 1 ? ",)" : ")" : "]");
                break;
            case Mapping mapping:
                text.Append('{');
                foreach (var (index, (key, item)) in mapping.Index())
                {
                    text.Append(index > 0 ? ", " : "");
                    Quote(text, key, budget);
                    text.Append(": ");
                    Write(text, item, budget, nested: true, depth + 1);
                }
                text.Append('}');
                break;
            default: throw new JinjaException($"{Values.TypeName(value)} cannot be printed");
        }
    }

    private static void Quote(StringBuilder text, string value, Budget budget)
    {
        budget.Spend(value.Length);
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (char c in value)
        {
            _ = c switch
            {
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\\' => text.Append("\\\\"),
                _ when c == quote => text.Append('\\').Append(c),
                < ' ' or '\x7f' or (>= '\x80' and < '\xa1') or '\xad' => text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => text.Append(c),
            };
        }
        text.Append(quote);
    }
}
