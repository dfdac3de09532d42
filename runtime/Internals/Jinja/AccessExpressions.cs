namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Arguments of a call, filter or test, as they are written; a name of <c>*</c> or <c>**</c> brings those of a list or mapping.</summary>
internal sealed record CallArguments(IReadOnlyList<(string? Name, Expression Value)> Items)
{
    public static CallArguments None { get; } = new([]);

    public Arguments Evaluate(string function, object? subject, Scope scope, Function? caller = null)
    {
        var positional = new List<object?>(Items.Count);
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, expression) in Items)
        {
            object? value = expression.Evaluate(scope);
            switch (name)
            {
                case null:
                    positional.Add(value);
                    break;
                case "*":
                    positional.AddRange(Values.Items(value, scope.Budget));
                    scope.Budget.Spend(positional.Count);
                    break;
                case "**":
                    foreach (var (key, item) in value as Mapping ?? throw new JinjaException($"'**' wants a mapping, not {Values.TypeName(value)}"))
                    {
                        Name(key, item);
                    }
                    break;
                default:
                    Name(name, value);
                    break;
            }
        }
        if (caller is not null)
        {
            named[Arguments.CallerName] = caller;
        }
        return new Arguments(function, subject, positional, named, scope);

        void Name(string name, object? value)
        {
            if (!named.TryAdd(name, value))
            {
                throw new JinjaException($"'{function}' is given the argument '{name}' twice");
            }
        }
    }
}

internal sealed record CallExpression(Expression Target, CallArguments Arguments) : Expression
{
    private string Name => Target switch { NameExpression name => name.Name, AttributeExpression attribute => attribute.Name, _ => "the value" };

    protected override object? Compute(Scope scope) => Call(scope, caller: null);

    /// <param name="caller">What the function finds under <c>caller</c>: the body of a <c>call</c> block.</param>
    public object? Call(Scope scope, Function? caller) => Target.Evaluate(scope) switch
    {
        Function function => function(Arguments.Evaluate(Name, subject: null, scope, caller)),
        Undefined undefined => throw new JinjaException($"{undefined.What} is not defined, so it cannot be called"),
        var other => throw new JinjaException($"'{Name}' is {Values.TypeName(other)} and cannot be called"),
    };
}

/// <summary><c>value.name</c>: a method before an entry of that name.</summary>
internal sealed record AttributeExpression(Expression Target, string Name) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object? target = Target.Evaluate(scope);
        return Methods.Find(target, Name) ?? Member(target, Name);
    }

    public static object? Member(object? target, string name) => target switch
    {
        Undefined undefined => throw new JinjaException($"{undefined.What} is not defined, so it has no '{name}'"),
        Mapping mapping when mapping.TryGetValue(name, out object? value) => value,
        Loop.Round round => round[name],
        Namespace space when space.Attributes.TryGetValue(name, out object? value) => value,
        _ => new Undefined($"'{name}' of {Values.TypeName(target)}"),
    };
}

/// <summary><c>value[index]</c>: an entry before a method of that name.</summary>
internal sealed record ItemExpression(Expression Target, Expression Index) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object? target = Target.Evaluate(scope), index = Index.Evaluate(scope);
        if (index is string name)
        {
            object? member = AttributeExpression.Member(target, name);
            return member is Undefined && Methods.Find(target, name) is Function method ? method : member;
        }
        if (target is Undefined undefined)
        {
            throw new JinjaException($"{undefined.What} is not defined, so it has no elements");
        }
        if (Values.TryInteger(index, out long at) && target is string or IReadOnlyList<object?>)
        {
            var items = Values.Items(target, scope.Budget);
            scope.Budget.Spend(target is string ? items.Count : 1);
            at = at < 0 ? at + items.Count : at;
            return at >= 0 && at < items.Count ? items[(int)at] : new Undefined($"element {at} of {Values.TypeName(target)} of {items.Count}");
        }
        return new Undefined($"the element of {Values.TypeName(target)}");
    }
}

/// <summary><c>value[start:stop:step]</c>, with Python's meaning.</summary>
internal sealed record SliceExpression(Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object? target = Target.Evaluate(scope);
        if (target is not (string or IReadOnlyList<object?>))
        {
            throw new JinjaException($"{Values.TypeName(target)} cannot be sliced");
        }
        var items = Values.Items(target, scope.Budget);
        long step = Bound(Step, scope) ?? 1, count = items.Count;
        if (step == 0)
        {
            throw new JinjaException("the step of a slice is 0");
        }
        (long low, long high) = step > 0 ? (0L, count) : (-1L, count - 1);
        long Place(long? bound, long fallback) => bound is not long at ? fallback : Math.Clamp(at < 0 ? at + count : at, low, high);
        long from = Place(Bound(Start, scope), step > 0 ? low : high), to = Place(Bound(Stop, scope), step > 0 ? high : low);
        var picked = new List<object?>();
        for (long at = from; step > 0 ? at < to : at > to; at = step > count || step < -count ? to : at + step)
        {
            picked.Add(items[(int)at]);
        }
        scope.Budget.Spend(target is string ? count : picked.Count);
        return target switch { string => string.Concat(picked), object?[] => picked.ToArray(), _ => picked };
    }

    private static long? Bound(Expression? expression, Scope scope) => expression?.Evaluate(scope) switch
    {
        null => null,
        var value when Values.TryInteger(value, out long number) => Math.Clamp(number, int.MinValue, int.MaxValue),
        var value => throw new JinjaException($"a slice's bounds are whole numbers, not {Values.TypeName(value)}"),
    };
}
