namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Jinja's tests: what may follow <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Func<Arguments, bool>> ByName = new(StringComparer.Ordinal)
    {
        ["defined"] = a => a.Subject is not Undefined,
        ["undefined"] = a => a.Subject is Undefined,
        ["none"] = a => a.Subject is null,
        ["string"] = a => a.Subject is string,
        ["number"] = a => a.Subject is long or double or bool,
        ["integer"] = a => a.Subject is long,
        ["float"] = a => a.Subject is double,
        ["boolean"] = a => a.Subject is bool,
        ["true"] = a => a.Subject is true,
        ["false"] = a => a.Subject is false,
        ["mapping"] = a => a.Subject is Mapping,
        ["sequence"] = a => a.Subject is string or Mapping or IReadOnlyList<object?> or Undefined,
        ["iterable"] = a => a.Subject is string or Mapping or IReadOnlyList<object?> or Undefined,
        ["callable"] = a => a.Subject is Function,
        ["sameas"] = a => a.Required("other") is var other && (ReferenceEquals(a.Subject, other) || (a.Subject?.GetType() == other?.GetType() && Values.AreEqual(a.Subject, other, a.Budget))),
        ["eq"] = Equal,
        ["equalto"] = Equal,
        ["=="] = Equal,
        ["ne"] = a => !Equal(a),
        ["!="] = a => !Equal(a),
        ["lt"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) < 0,
        ["lessthan"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) < 0,
        ["<"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) < 0,
        ["le"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) <= 0,
        ["<="] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) <= 0,
        ["gt"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) > 0,
        ["greaterthan"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) > 0,
        [">"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) > 0,
        ["ge"] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) >= 0,
        [">="] = a => Values.Compare(a.Subject, a.Required("other"), a.Budget) >= 0,
        ["in"] = a => Values.Contains(a.Required("seq"), a.Subject, a.Budget),
        ["even"] = a => Remainder(a, 2) == 0,
        ["odd"] = a => Remainder(a, 2) != 0,
        ["divisibleby"] = a => Remainder(a, a.Integer("num")) == 0,
        ["lower"] = a => a.Printed is var text && text.Any(char.IsLetter) && text == text.ToLowerInvariant(),
        ["upper"] = a => a.Printed is var text && text.Any(char.IsLetter) && text == text.ToUpperInvariant(),
    };

    public static bool Holds(Arguments arguments)
    {
        arguments.Budget.Spend(1);
        var test = ByName.GetValueOrDefault(arguments.Function) ?? throw new JinjaException($"the test '{arguments.Function}' is not supported");
        bool holds = test(arguments);
        arguments.End();
        return holds;
    }

    private static bool Equal(Arguments a) => Values.AreEqual(a.Subject, a.Required("other"), a.Budget);

    private static long Remainder(Arguments a, long divisor) =>
        Arithmetic.Combine("%", a.Subject, divisor, a.Budget) as long? ?? throw a.Wrong("is for whole numbers");
}
