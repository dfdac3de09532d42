namespace LatentMoE.Runtime.Internals.Jinja;

internal static partial class Filters
{
    private static Comparer<object?> Order(Budget budget) => Comparer<object?>.Create((left, right) => Values.Compare(left, right, budget));

    private static IReadOnlyList<object?> Copy(Arguments a)
    {
        var items = Values.Items(a.Subject, a.Budget);
        a.Budget.Spend(items.Count);
        return items;
    }

    private static string Join(Arguments a)
    {
        string separator = PythonText.Print(a.Optional("d", ""), a.Budget);
        object? attribute = a.Optional("attribute", null);
        var items = Copy(a);
        a.Budget.Spend((long)items.Count * separator.Length);
        return string.Join(separator, items.Select(item => PythonText.Print(Attribute(item, attribute), a.Budget)));
    }

    private static List<object?> Map(Arguments a)
    {
        if (a.Named.ContainsKey("attribute"))
        {
            object? attribute = a.Required("attribute"), missing = a.Optional("default", null);
            return [.. Copy(a).Select(item => Attribute(item, attribute) switch { Undefined when missing is not null => missing, var value => value })];
        }
        string filter = a.RequiredText("filter");
        List<object?> mapped = [.. Copy(a).Select(item => Apply(a.Rest(filter, item)))];
        a.TakeRest();
        return mapped;
    }

    private static List<object?> Select(Arguments a, bool keep, bool attribute)
    {
        object? name = attribute ? a.Required("attribute") : null;
        string? test = a.OptionalText("test");
        List<object?> kept = [.. Copy(a).Where(item =>
        {
            object? value = attribute ? Attribute(item, name) : item;
            return keep == (test is null ? Values.IsTrue(value) : Tests.Holds(a.Rest(test, value)));
        })];
        a.TakeRest();
        return kept;
    }

    // An attribute by its dotted path, or an element by its number.
    private static object? Attribute(object? item, object? path)
    {
        if (path is null)
        {
            return item;
        }
        foreach (string part in PythonPath(path))
        {
            item = item is IReadOnlyList<object?> list && int.TryParse(part, out int index)
                ? index >= 0 && index < list.Count ? list[index] : new Undefined($"element {index}")
                : AttributeExpression.Member(item, part);
        }
        return item;
    }

    private static string[] PythonPath(object path) => path switch
    {
        string text => text.Split('.'),
        long index => [$"{index}"],
        _ => throw new JinjaException($"an attribute is named by a string, not by {Values.TypeName(path)}"),
    };

    private static object? Extreme(Arguments a, int sign)
    {
        bool sensitive = Values.IsTrue(a.Optional("case_sensitive", false));
        object? attribute = a.Optional("attribute", null);
        var items = Copy(a);
        if (items.Count == 0)
        {
            return new Undefined($"the {a.Function} of nothing");
        }
        object? Key(object? item) => Fold(Attribute(item, attribute), sensitive);
        return items.Aggregate((best, item) => Values.Compare(Key(item), Key(best), a.Budget) * sign > 0 ? item : best);
    }

    private static List<object?> Sort(Arguments a)
    {
        bool reverse = Values.IsTrue(a.Optional("reverse", false)), sensitive = Values.IsTrue(a.Optional("case_sensitive", false));
        object? attribute = a.Optional("attribute", null);
        return Sort(Copy(a), item => Fold(Attribute(item, attribute), sensitive), reverse, a.Budget);
    }

    private static List<object?> SortMapping(Arguments a)
    {
        bool sensitive = Values.IsTrue(a.Optional("case_sensitive", false));
        int part = a.OptionalText("by", "key") switch { "key" => 0, "value" => 1, var other => throw a.Wrong($"sorts by key or value, not by '{other}'") };
        bool reverse = Values.IsTrue(a.Optional("reverse", false));
        var mapping = a.Subject as Mapping ?? throw a.Wrong($"is for mappings, not for {Values.TypeName(a.Subject)}");
        return Sort(Methods.Items(mapping), item => Fold(((object?[])item!)[part], sensitive), reverse, a.Budget);
    }

    // Equal elements keep their order, in reverse too, as Python's do.
    private static List<object?> Sort(IReadOnlyList<object?> items, Func<object?, object?> key, bool reverse, Budget budget)
    {
        try
        {
            return reverse ? [.. items.OrderByDescending(key, Order(budget))] : [.. items.OrderBy(key, Order(budget))];
        }
        catch (InvalidOperationException e) when (e.InnerException is JinjaException cause)
        {
            throw cause;
        }
    }

    private static List<object?> Unique(Arguments a)
    {
        bool sensitive = Values.IsTrue(a.Optional("case_sensitive", false));
        object? attribute = a.Optional("attribute", null);
        var (seen, kept) = (new List<object?>(), new List<object?>());
        foreach (object? item in Copy(a))
        {
            object? key = Fold(Attribute(item, attribute), sensitive);
            a.Budget.Spend(seen.Count);
            if (!seen.Any(other => Values.AreEqual(other, key, a.Budget)))
            {
                seen.Add(key);
                kept.Add(item);
            }
        }
        return kept;
    }

    private static object? Sum(Arguments a)
    {
        object? attribute = a.Optional("attribute", null), start = a.Optional("start", 0L);
        return Copy(a).Aggregate(start, (sum, item) => Arithmetic.Combine("+", sum, Attribute(item, attribute), a.Budget));
    }

    private static object? Fold(object? value, bool sensitive) => value is string text && !sensitive ? text.ToLowerInvariant() : value;
}
