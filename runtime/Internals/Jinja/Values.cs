using System.Globalization;
using System.Runtime.CompilerServices;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>A name that stands for nothing: prints as nothing, counts as false, and has no members.</summary>
internal sealed class Undefined(string what)
{
    public string What => what;
}

/// <summary>Names and values in the order in which they came, unchangeable to templates.</summary>
internal sealed class Mapping : OrderedDictionary<string, object?>
{
    public Mapping()
        : base(StringComparer.Ordinal)
    {
    }
}

/// <summary>The one kind of value that a template can change: <c>{% set ns.name = … %}</c>.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>A macro, a function or a method.</summary>
internal delegate object? Function(Arguments arguments);

/// <summary>
/// Python's rules for values: null is None; then bool, long, double, string, <see cref="IReadOnlyList{T}"/> (an array where Python has a tuple),
/// <see cref="Mapping"/>, <see cref="Namespace"/>, <see cref="Loop.Round"/>, <see cref="Function"/> and <see cref="Undefined"/>.
/// </summary>
internal static class Values
{
    // Characters that are compared or counted in about the time that an element takes.
    private const int CharactersPerStep = 16;

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        IReadOnlyList<object?> list => list.Count > 0,
        Mapping mapping => mapping.Count > 0,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "None",
        Undefined undefined => $"{undefined.What}, which is not defined",
        bool => "a truth value",
        long or double => "a number",
        string => "a string",
        object?[] => "a tuple",
        IReadOnlyList<object?> => "a list",
        Mapping => "a mapping",
        Namespace => "a namespace",
        Function => "a function",
        Loop.Round => "a loop",
        _ => value.GetType().Name,
    };

    /// <summary>A truth value counts as 0 or 1.</summary>
    public static bool TryInteger(object? value, out long number)
    {
        number = value switch { long n => n, bool flag => flag ? 1 : 0, _ => 0 };
        return value is long or bool;
    }

    public static bool TryNumber(object? value, out double number)
    {
        number = value is double n ? n : TryInteger(value, out long whole) ? whole : 0;
        return value is double or long or bool;
    }

    public static bool AreEqual(object? left, object? right, Budget budget)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend(1 + ((left as string)?.Length ?? 0) / CharactersPerStep);
        return (ReferenceEquals(left, right) && left is not double) || (left, right) switch
        {
            (Undefined, Undefined) => true,
            (string a, string b) => string.Equals(a, b, StringComparison.Ordinal),
            (IReadOnlyList<object?> a, IReadOnlyList<object?> b) => a is object?[] == b is object?[] && a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second, budget)),
            (Mapping a, Mapping b) => a.Count == b.Count && a.All(entry => b.TryGetValue(entry.Key, out object? other) && AreEqual(entry.Value, other, budget)),
            _ when TryInteger(left, out long a) && TryInteger(right, out long b) => a == b,
            _ when TryNumber(left, out double a) && TryNumber(right, out double b) => a == b,
            _ => false,
        };
    }

    public static int Compare(object? left, object? right, Budget budget)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend(1 + ((left as string)?.Length ?? 0) / CharactersPerStep);
        if (left is string a && right is string b)
        {
            return string.CompareOrdinal(a, b);
        }
        if (TryInteger(left, out long i) && TryInteger(right, out long j))
        {
            return i.CompareTo(j);
        }
        if (TryNumber(left, out double x) && TryNumber(right, out double y))
        {
            return x.CompareTo(y);
        }
        if (left is IReadOnlyList<object?> p && right is IReadOnlyList<object?> q)
        {
            int differing = Enumerable.Range(0, Math.Min(p.Count, q.Count)).Cast<int?>().FirstOrDefault(n => !AreEqual(p[n!.Value], q[n.Value], budget)) ?? -1;
            return differing < 0 ? p.Count.CompareTo(q.Count) : Compare(p[differing], q[differing], budget);
        }
        throw new JinjaException($"{TypeName(left)} and {TypeName(right)} have no order");
    }

    public static bool Contains(object? container, object? item, Budget budget) => container switch
    {
        string text => item is string part ? Find(text, part, budget)
            : throw new JinjaException($"{TypeName(item)} cannot be in a string; only a string can"),
        Mapping mapping => item is string key && mapping.ContainsKey(key),
        _ => Items(container, budget).Any(element => AreEqual(element, item, budget)),
    };

    /// <summary>What a loop runs over: a list's elements, a mapping's keys, a string's characters; nothing where the value is undefined.</summary>
    public static IReadOnlyList<object?> Items(object? value, Budget budget) => value switch
    {
        IReadOnlyList<object?> list => list,
        Mapping mapping => Paid(mapping.Count, () => [.. mapping.Keys], budget),
        string text => Paid(text.Length, () => [.. PythonText.Characters(text)], budget),
        Undefined => [],
        _ => throw new JinjaException($"{TypeName(value)} has no elements"),
    };

    public static long Length(object? value, Budget budget) => value switch
    {
        string text => Measured(text, budget),
        Mapping mapping => mapping.Count,
        _ => Items(value, budget).Count,
    };

    private static bool Find(string text, string part, Budget budget)
    {
        budget.Spend(1 + text.Length / CharactersPerStep);
        return text.Contains(part, StringComparison.Ordinal);
    }

    private static long Measured(string text, Budget budget)
    {
        budget.Spend(1 + text.Length / CharactersPerStep);
        return PythonText.Length(text);
    }

    private static IReadOnlyList<object?> Paid(int count, Func<IReadOnlyList<object?>> make, Budget budget)
    {
        budget.Spend(count);
        return make();
    }

    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        string text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.Contains('.', StringComparison.Ordinal) || text.Contains('e', StringComparison.Ordinal) ? text : text + ".0";
    }
}
