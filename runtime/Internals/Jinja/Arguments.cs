namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>What a function, method, filter or test was called with; each takes its own, in order, and then says <see cref="End"/>.</summary>
internal sealed class Arguments(string function, object? subject, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named, Scope scope)
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private int _next;

    /// <summary>The name under which a <c>call</c> block gives its body.</summary>
    public const string CallerName = "caller";

    public string Function => function;

    /// <summary>The value before the dot of a method, the bar of a filter or the <c>is</c> of a test.</summary>
    public object? Subject => subject;

    public Budget Budget => scope.Budget;

    /// <summary>The names at the place of the call.</summary>
    public Scope Caller => scope;

    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyDictionary<string, object?> Named => named;

    /// <summary>The subject, where it must be a string.</summary>
    public string Text => subject as string ?? throw Wrong($"is for strings, not for {Values.TypeName(subject)}");

    public object? Optional(string name, object? fallback)
    {
        if (_next < positional.Count)
        {
            return positional[_next++];
        }
        _taken.Add(name);
        return named.TryGetValue(name, out object? value) ? value : fallback;
    }

    /// <summary>The body of the <c>call</c> block that this is the call of; null elsewhere.</summary>
    public object? CallerBody()
    {
        _taken.Add(CallerName);
        return named.GetValueOrDefault(CallerName);
    }

    public object? Required(string name) =>
        _next < positional.Count || named.ContainsKey(name) ? Optional(name, null) : throw Wrong($"lacks its argument '{name}'");

    public string RequiredText(string name) =>
        Required(name) is string text ? text : throw Wrong($"wants a string as '{name}'");

    public string? OptionalText(string name, string? fallback = null) => Optional(name, fallback) switch
    {
        null => null,
        string text => text,
        var other => throw Wrong($"wants a string as '{name}', not {Values.TypeName(other)}"),
    };

    public long Integer(string name, long? fallback = null)
    {
        object? value = fallback is null ? Required(name) : Optional(name, fallback);
        return Values.TryInteger(value, out long number) ? number : throw Wrong($"wants a whole number as '{name}', not {Values.TypeName(value)}");
    }

    /// <exception cref="JinjaException">There are more arguments than were taken.</exception>
    public void End()
    {
        if (_next < positional.Count)
        {
            throw Wrong($"takes {_next} arguments, not {positional.Count}");
        }
        if (named.Keys.FirstOrDefault(name => !_taken.Contains(name)) is string unknown)
        {
            throw Wrong($"has no argument '{unknown}'");
        }
    }

    /// <summary>Takes whatever is left: another function has it.</summary>
    public void TakeRest()
    {
        _next = positional.Count;
        _taken.UnionWith(named.Keys);
    }

    /// <summary>The arguments that have not been taken yet, for another function: what <c>map('name', …)</c> passes on.</summary>
    public Arguments Rest(string other, object? item) => new(other, item, [.. positional.Skip(_next)],
        named.Where(entry => !_taken.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal), scope);

    /// <summary>The same arguments, for a method of a value.</summary>
    public Arguments Of(object? value) => new(function, value, positional, named, scope);

    /// <summary>The subject as <c>{{ }}</c> prints it: what filters of text work on.</summary>
    public string Printed => PythonText.Print(subject, Budget);

    public JinjaException Wrong(string problem) => new($"'{function}' {problem}");
}
