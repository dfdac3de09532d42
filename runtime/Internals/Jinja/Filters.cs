using System.Globalization;
using System.Runtime.CompilerServices;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Jinja's filters that chat templates use; <c>Filters.Lists.cs</c> has those of lists.</summary>
internal static partial class Filters
{
    private static readonly Dictionary<string, Func<Arguments, object?>> ByName = new(StringComparer.Ordinal)
    {
        ["abs"] = a => a.Subject is double number ? Math.Abs(number) : Arithmetic.Combine("*", a.Subject, Values.Compare(a.Subject, 0L, a.Budget) < 0 ? -1L : 1L, a.Budget),
        ["capitalize"] = a => PythonText.Capitalize(a.Printed),
        ["default"] = Default,
        ["d"] = Default,
        ["dictsort"] = SortMapping,
        ["first"] = a => Values.Items(a.Subject, a.Budget) is { Count: > 0 } items ? items[0] : new Undefined("the first of nothing"),
        ["float"] = a => Values.TryNumber(a.Subject, out double number) || TryParse(a.Subject, out number) ? number : a.Optional("default", 0.0),
        ["indent"] = Indent,
        ["int"] = ToInteger,
        ["items"] = a => a.Subject is Undefined ? new List<object?>() : a.Subject is Mapping mapping ? Methods.Items(mapping) : throw a.Wrong($"is for mappings, not for {Values.TypeName(a.Subject)}"),
        ["join"] = Join,
        ["last"] = a => Values.Items(a.Subject, a.Budget) is { Count: > 0 } items ? items[^1] : new Undefined("the last of nothing"),
        ["length"] = a => Values.Length(a.Subject, a.Budget),
        ["count"] = a => Values.Length(a.Subject, a.Budget),
        ["list"] = a => Copy(a).ToList(),
        ["lower"] = a => a.Printed.ToLowerInvariant(),
        ["map"] = Map,
        ["max"] = a => Extreme(a, +1),
        ["min"] = a => Extreme(a, -1),
        ["reject"] = a => Select(a, keep: false, attribute: false),
        ["rejectattr"] = a => Select(a, keep: false, attribute: true),
        ["replace"] = a => Methods.Replace(a.Printed, a.RequiredText("old"), a.RequiredText("new"), a.Integer("count", -1), a.Budget),
        ["reverse"] = a => a.Subject is string text ? string.Concat(PythonText.Characters(text).Reverse()) : Copy(a).Reverse().ToList(),
        ["round"] = Round,
        ["safe"] = a => a.Printed,
        ["select"] = a => Select(a, keep: true, attribute: false),
        ["selectattr"] = a => Select(a, keep: true, attribute: true),
        ["sort"] = Sort,
        ["string"] = a => a.Printed,
        ["sum"] = Sum,
        ["title"] = a => PythonText.Title(a.Printed, c => PythonText.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<'),
        ["tojson"] = JsonText.Write,
        ["trim"] = a => PythonText.Strip(a.Printed, a.OptionalText("chars")),
        ["unique"] = Unique,
        ["upper"] = a => a.Printed.ToUpperInvariant(),
    };

    public static object? Apply(Arguments arguments)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack(); // a filter may apply filters
        arguments.Budget.Spend(1);
        var filter = ByName.GetValueOrDefault(arguments.Function) ?? throw new JinjaException($"the filter '{arguments.Function}' is not supported");
        object? value = filter(arguments);
        arguments.End();
        return value;
    }

    private static object? Default(Arguments a)
    {
        object? fallback = a.Optional("default_value", "");
        bool whenFalse = Values.IsTrue(a.Optional("boolean", false));
        return a.Subject is Undefined || (whenFalse && !Values.IsTrue(a.Subject)) ? fallback : a.Subject;
    }

    private static string Indent(Arguments a)
    {
        object? width = a.Optional("width", 4L);
        string pad = width is string text ? text : Values.TryInteger(width, out long spaces) ? new string(' ', (int)Math.Clamp(spaces, 0, 1000)) : throw a.Wrong("wants a width");
        bool first = Values.IsTrue(a.Optional("first", false)), blank = Values.IsTrue(a.Optional("blank", false));
        string[] lines = a.Printed.Split('\n');
        a.Budget.Spend((long)lines.Length * pad.Length);
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? pad + line : line));
    }

    private static object? ToInteger(Arguments a)
    {
        object? fallback = a.Optional("default", 0L);
        return a.Subject switch
        {
            string text when long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => number,
            _ when Values.TryInteger(a.Subject, out long number) => number,
            _ when (a.Subject is double || TryParse(a.Subject, out _)) && Fraction(a.Subject) is var number && Math.Abs(number) < 9e18 => (long)number,
            _ => fallback,
        };
    }

    private static double Fraction(object? value) => value is double number || TryParse(value, out number) ? number : double.NaN;

    private static bool TryParse(object? value, out double number)
    {
        number = 0;
        return value is string text && double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    private static object? Round(Arguments a)
    {
        long digits = Math.Clamp(a.Integer("precision", 0), 0, 15);
        string method = a.OptionalText("method", "common")!;
        if (!Values.TryNumber(a.Subject, out double number))
        {
            throw a.Wrong($"is for numbers, not for {Values.TypeName(a.Subject)}");
        }
        double scale = Math.Pow(10, digits);
        return method switch
        {
            "common" => Math.Round(number, (int)digits, MidpointRounding.ToEven),
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw a.Wrong($"knows the methods common, ceil and floor, not '{method}'"),
        };
    }
}
