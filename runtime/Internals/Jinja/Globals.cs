using System.Globalization;
using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>The functions that Hugging Face gives chat templates.</summary>
internal static class Globals
{
    private const int LongestRange = 100_000; // as in Jinja's sandbox

    public static IReadOnlyDictionary<string, object?> Create(TimeProvider clock) => new Dictionary<string, object?>
    {
        ["range"] = (Function)Range,
        ["namespace"] = (Function)CreateNamespace,
        ["dict"] = (Function)CreateMapping,
        ["raise_exception"] = (Function)Refuse,
        ["strftime_now"] = (Function)(a => Format(clock.GetLocalNow(), a.RequiredText("format"))),
    };

    private static object? Refuse(Arguments a)
    {
        string words = PythonText.Print(a.Required("message"), a.Budget);
        throw new JinjaException($"the template says: {words}") { Refusal = words };
    }

    private static object? Range(Arguments a)
    {
        long[] bounds = [.. a.Positional.Select((_, i) => a.Integer($"bound {i + 1}"))];
        a.End();
        var (start, stop, step) = bounds switch
        {
            [var end] => (0L, end, 1L),
            [var begin, var end] => (begin, end, 1L),
            [var begin, var end, var by] when by != 0 => (begin, end, by),
            _ => throw a.Wrong("wants one to three whole numbers, the third not 0"),
        };
        var count = ((Int128)stop - start + step - Math.Sign(step)) / step;
        if (count > LongestRange)
        {
            throw a.Wrong($"of {count} numbers is too long; {LongestRange} may be");
        }
        a.Budget.Spend(Math.Max(0, (long)count));
        return Enumerable.Range(0, Math.Max(0, (int)count)).Select(i => (object?)(start + (i * step))).ToList();
    }

    private static object? CreateNamespace(Arguments a)
    {
        var space = new Namespace();
        foreach (var (name, value) in Named(a))
        {
            space.Attributes[name] = value;
        }
        return space;
    }

    private static object? CreateMapping(Arguments a)
    {
        var mapping = new Mapping();
        foreach (var (name, value) in Named(a))
        {
            mapping[name] = value;
        }
        return mapping;
    }

    // The entries of a mapping that is given, then the named arguments.
    private static IEnumerable<KeyValuePair<string, object?>> Named(Arguments a) => a.Positional switch
    {
        [] => a.Named,
        [Mapping first] => first.Concat(a.Named),
        _ => throw a.Wrong("wants named values"),
    };

    private static string Format(DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            bool plain = format[++i] == '-' && i + 1 < format.Length;
            char directive = plain ? format[++i] : format[i];
            string pattern = directive switch
            {
                'd' => plain ? "%d" : "dd",
                'm' => plain ? "%M" : "MM",
                'Y' => "yyyy",
                'y' => "yy",
                'B' => "MMMM",
                'b' => "MMM",
                'A' => "dddd",
                'a' => "ddd",
                'H' => plain ? "%H" : "HH",
                'I' => plain ? "%h" : "hh",
                'M' => plain ? "%m" : "mm",
                'S' => plain ? "%s" : "ss",
                'p' => "tt",
                'j' => "",
                '%' => "'%'",
                _ => throw new JinjaException($"'strftime_now' does not know %{directive}"),
            };
            text.Append(directive == 'j' ? time.DayOfYear.ToString(plain ? "D" : "D3", CultureInfo.InvariantCulture)
                : time.ToString(pattern, CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}
