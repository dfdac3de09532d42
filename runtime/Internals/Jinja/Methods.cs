namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>
/// Python's methods of strings, mappings and lists, as far as they change nothing: Hugging Face's sandbox refuses the others too.
/// </summary>
internal static class Methods
{
    private static readonly Dictionary<string, Func<Arguments, object?>> OfText = new(StringComparer.Ordinal)
    {
        ["capitalize"] = a => PythonText.Capitalize(a.Text),
        ["count"] = a => (long)Count(a.Text, a.RequiredText("sub")),
        ["endswith"] = a => Affixes(a).Any(affix => a.Text.EndsWith(affix, StringComparison.Ordinal)),
        ["find"] = a => Place(a.Text, a.Text.IndexOf(a.RequiredText("sub"), StringComparison.Ordinal)),
        ["isalnum"] = a => a.Text.Length > 0 && a.Text.All(char.IsLetterOrDigit),
        ["isalpha"] = a => a.Text.Length > 0 && a.Text.All(char.IsLetter),
        ["isdigit"] = a => a.Text.Length > 0 && a.Text.All(char.IsDigit),
        ["islower"] = a => a.Text.Any(char.IsLetter) && a.Text == a.Text.ToLowerInvariant(),
        ["isspace"] = a => a.Text.Length > 0 && a.Text.All(PythonText.IsSpace),
        ["isupper"] = a => a.Text.Any(char.IsLetter) && a.Text == a.Text.ToUpperInvariant(),
        ["join"] = Join,
        ["lower"] = a => a.Text.ToLowerInvariant(),
        ["lstrip"] = a => PythonText.Strip(a.Text, a.OptionalText("chars"), end: false),
        ["removeprefix"] = a => a.RequiredText("prefix") is var prefix && a.Text.StartsWith(prefix, StringComparison.Ordinal) ? a.Text[prefix.Length..] : a.Text,
        ["removesuffix"] = a => a.RequiredText("suffix") is { Length: > 0 } suffix && a.Text.EndsWith(suffix, StringComparison.Ordinal) ? a.Text[..^suffix.Length] : a.Text,
        ["replace"] = a => Replace(a.Text, a.RequiredText("old"), a.RequiredText("new"), a.Integer("count", -1), a.Budget),
        ["rfind"] = a => Place(a.Text, a.Text.LastIndexOf(a.RequiredText("sub"), StringComparison.Ordinal)),
        ["rsplit"] = a => Split(a, fromEnd: true),
        ["rstrip"] = a => PythonText.Strip(a.Text, a.OptionalText("chars"), start: false),
        ["split"] = a => Split(a, fromEnd: false),
        ["splitlines"] = a => Lines(a.Text),
        ["startswith"] = a => Affixes(a).Any(affix => a.Text.StartsWith(affix, StringComparison.Ordinal)),
        ["strip"] = a => PythonText.Strip(a.Text, a.OptionalText("chars")),
        ["title"] = a => PythonText.Title(a.Text, c => !char.IsLetter(c)),
        ["upper"] = a => a.Text.ToUpperInvariant(),
    };

    private static readonly Dictionary<string, Func<Arguments, object?>> OfMapping = new(StringComparer.Ordinal)
    {
        ["get"] = a => ((Mapping)a.Subject!).TryGetValue(a.Required("key") as string ?? "", out object? value) ? Taking(value, a) : a.Optional("default", null),
        ["items"] = a => Items((Mapping)a.Subject!),
        ["keys"] = a => ((Mapping)a.Subject!).Keys.ToList<object?>(),
        ["values"] = a => ((Mapping)a.Subject!).Values.ToList(),
    };

    private static readonly Dictionary<string, Func<Arguments, object?>> OfList = new(StringComparer.Ordinal)
    {
        ["count"] = a => a.Required("value") is var wanted ? (long)Values.Items(a.Subject, a.Budget).Count(item => Values.AreEqual(item, wanted, a.Budget)) : 0L,
        ["index"] = a => a.Required("value") is var wanted && Values.Items(a.Subject, a.Budget).Index().FirstOrDefault(entry => Values.AreEqual(entry.Item, wanted, a.Budget), (-1, null)).Index is >= 0 and var at
            ? (long)at : throw a.Wrong("finds no such element"),
    };

    /// <summary>A method, bound to its value; null where the value has none of that name.</summary>
    public static Function? Find(object? value, string name)
    {
        var methods = value switch { string => OfText, Mapping => OfMapping, IReadOnlyList<object?> => OfList, _ => null };
        if (methods is null || !methods.TryGetValue(name, out var method))
        {
            return null;
        }
        return arguments =>
        {
            var own = arguments.Of(value);
            own.Budget.Spend(value is string text ? text.Length : 1);
            object? result = method(own);
            own.End();
            return result;
        };
    }

    public static List<object?> Items(Mapping mapping) => [.. mapping.Select(entry => new[] { entry.Key, entry.Value })];

    public static string Replace(string text, string old, string with, long count, Budget budget)
    {
        long found = old.Length == 0 ? text.Length + 1 : Count(text, old);
        count = count < 0 ? found : Math.Min(count, found);
        budget.Spend(text.Length + (count * with.Length));
        if (count == found && old.Length > 0)
        {
            return text.Replace(old, with, StringComparison.Ordinal);
        }
        var result = new System.Text.StringBuilder();
        int at = 0;
        for (long left = count; left > 0; left--)
        {
            int next = text.IndexOf(old, at, StringComparison.Ordinal);
            result.Append(text, at, next - at).Append(with);
            at = next + old.Length;
            if (old.Length == 0 && at < text.Length)
            {
                result.Append(text[at++]);
            }
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private static object? Taking(object? value, Arguments a)
    {
        a.Optional("default", null);
        return value;
    }

    private static int Count(string text, string part)
    {
        if (part.Length == 0)
        {
            return (int)PythonText.Length(text) + 1;
        }
        int count = 0;
        for (int at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length)
        {
            count++;
        }
        return count;
    }

    // Code points before a place.
    private static long Place(string text, int at) => at < 0 ? -1 : PythonText.Length(text[..at]);

    private static string[] Affixes(Arguments a) => a.Required("affix") switch
    {
        string affix => [affix],
        object?[] tuple when tuple.All(item => item is string) => [.. tuple.Cast<string>()],
        var other => throw a.Wrong($"wants a string or a tuple of strings, not {Values.TypeName(other)}"),
    };

    private static string Join(Arguments a)
    {
        var items = Values.Items(a.Required("iterable"), a.Budget);
        foreach (object? item in items)
        {
            a.Budget.Spend(a.Text.Length + (item is string text ? text.Length : throw a.Wrong($"joins strings, not {Values.TypeName(item)}")));
        }
        return string.Join(a.Text, items);
    }

    private static List<object?> Split(Arguments a, bool fromEnd)
    {
        string? separator = a.OptionalText("sep");
        long most = a.Integer("maxsplit", -1);
        if (separator == "")
        {
            throw a.Wrong("wants a separator that is not empty");
        }
        var parts = new List<object?>();
        string rest = separator is null ? PythonText.Strip(a.Text, null, start: !fromEnd, end: fromEnd) : a.Text;
        while (most < 0 || parts.Count < most)
        {
            var (at, length) = Cut(rest, separator, fromEnd);
            if (at < 0)
            {
                break;
            }
            string after = rest[(at + length)..];
            parts.Add(fromEnd ? after : rest[..at]);
            rest = fromEnd ? rest[..at] : after;
            a.Budget.Spend(rest.Length / 16);
        }
        if (separator is not null || rest.Length > 0)
        {
            parts.Add(rest);
        }
        if (fromEnd)
        {
            parts.Reverse();
        }
        return parts;
    }

    // The next separator: its place and length, or a run of white space where there is none.
    private static (int At, int Length) Cut(string text, string? separator, bool fromEnd)
    {
        if (separator is not null)
        {
            return (fromEnd ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal), separator.Length);
        }
        int at = fromEnd ? text.Length - 1 : 0, step = fromEnd ? -1 : 1;
        while (at >= 0 && at < text.Length && !PythonText.IsSpace(text[at]))
        {
            at += step;
        }
        int end = at;
        while (end >= 0 && end < text.Length && PythonText.IsSpace(text[end]))
        {
            end += step;
        }
        return at < 0 || at >= text.Length ? (-1, 0) : fromEnd ? (end + 1, at - end) : (at, end - at);
    }

    private static List<object?> Lines(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        return [.. lines[^1].Length == 0 ? lines[..^1] : lines];
    }
}
