namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>The names that a place of a template sees: its own before those around it. Loops and macros have names of their own.</summary>
internal sealed class Scope
{
    private const int MaxCalls = 50;

    private readonly Dictionary<string, object?> _names = new(StringComparer.Ordinal);
    private readonly Scope? _outer;
    private readonly int _calls;

    public Scope(IReadOnlyDictionary<string, object?> names, Budget budget)
    {
        Budget = budget;
        foreach (var (name, value) in names)
        {
            _names[name] = value;
        }
    }

    private Scope(Scope outer, int calls) => (_outer, _calls, Budget) = (outer, calls, outer.Budget);

    public Budget Budget { get; }

    public object? this[string name]
    {
        get
        {
            for (Scope? scope = this; scope is not null; scope = scope._outer)
            {
                if (scope._names.TryGetValue(name, out object? value))
                {
                    return value;
                }
            }
            return new Undefined($"'{name}'");
        }
        set => _names[name] = value;
    }

    /// <summary>The names of a loop or block.</summary>
    public Scope Inner() => new(this, _calls);

    /// <summary>The names of a macro that was defined here and is called from elsewhere.</summary>
    public Scope Called(Scope caller) => caller._calls < MaxCalls ? new(this, caller._calls + 1)
        : throw new JinjaException($"macros call each other more than {MaxCalls} deep");
}
