using System.Globalization;
using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>The filter <c>tojson</c> as Hugging Face defines it: Python's json.dumps, not escaped for HTML, non-ASCII characters as they are.</summary>
internal sealed class JsonText(int? indent, string itemSeparator, string keySeparator, bool ascii, bool sortKeys, Budget budget)
{
    private readonly StringBuilder _text = new();

    public static string Write(Arguments arguments)
    {
        bool ascii = Values.IsTrue(arguments.Optional("ensure_ascii", false));
        int? indent = arguments.Optional("indent", null) is null ? null : (int)Math.Clamp(arguments.Integer("indent"), 0, 16);
        var separators = arguments.Optional("separators", null) switch
        {
            null => (indent is null ? ", " : ",", ": "),
            IReadOnlyList<object?> { Count: 2 } pair when pair is [string item, string key] => (item, key),
            _ => throw new JinjaException("'tojson' wants separators as a pair of strings"),
        };
        bool sort = Values.IsTrue(arguments.Optional("sort_keys", false));
        arguments.End();
        var json = new JsonText(indent, separators.Item1, separators.Item2, ascii, sort, arguments.Budget);
        json.Write(arguments.Subject, 0);
        return json._text.ToString();
    }

    private void Write(object? value, int depth)
    {
        budget.Spend(1);
        if (depth > Budget.MaxDepth)
        {
            throw new JinjaException($"a value holds others more than {Budget.MaxDepth} deep");
        }
        switch (value)
        {
            case null: _text.Append("null"); break;
            case bool flag: _text.Append(flag ? "true" : "false"); break;
            case long number: _text.Append(CultureInfo.InvariantCulture, $"{number}"); break;
            case double number: _text.Append(double.IsFinite(number) ? Values.Number(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"); break;
            case string text: Quote(text); break;
            case IReadOnlyList<object?> list: Items('[', ']', list, depth, item => Write(item, depth + 1)); break;
            case Mapping mapping:
                Items<KeyValuePair<string, object?>>('{', '}', sortKeys ? [.. mapping.OrderBy(entry => entry.Key, StringComparer.Ordinal)] : [.. mapping], depth, entry =>
                {
                    Quote(entry.Key);
                    _text.Append(keySeparator);
                    Write(entry.Value, depth + 1);
                });
                break;
            default: throw new JinjaException($"{Values.TypeName(value)} cannot be written as JSON");
        }
    }

    private void Items<T>(char open, char close, IReadOnlyList<T> items, int depth, Action<T> write)
    {
        _text.Append(open);
        foreach (var (index, item) in items.Index())
        {
            _text.Append(index > 0 ? itemSeparator : "");
            NewLine(depth + 1);
            write(item);
        }
        if (items.Count > 0)
        {
            NewLine(depth);
        }
        _text.Append(close);
    }

    private void NewLine(int depth)
    {
        if (indent is int width)
        {
            budget.Spend(width * depth);
            _text.Append('\n').Append(' ', width * depth);
        }
    }

    private void Quote(string value)
    {
        budget.Spend(value.Length);
        _text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => _text.Append("\\\""),
                '\\' => _text.Append("\\\\"),
                '\n' => _text.Append("\\n"),
                '\r' => _text.Append("\\r"),
                '\t' => _text.Append("\\t"),
                '\b' => _text.Append("\\b"),
                '\f' => _text.Append("\\f"),
                _ when c < ' ' || (ascii && c > '~') => _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => _text.Append(c),
            };
        }
        _text.Append('"');
    }
}
