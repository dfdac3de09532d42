using System.Runtime.CompilerServices;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>A part of a template that has a value.</summary>
internal abstract record Expression
{
    public object? Evaluate(Scope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Spend(1);
        return Compute(scope);
    }

    protected abstract object? Compute(Scope scope);
}

internal sealed record Literal(object? Value) : Expression
{
    protected override object? Compute(Scope scope) => Value;
}

internal sealed record NameExpression(string Name) : Expression
{
    protected override object? Compute(Scope scope) => scope[Name];
}

internal sealed record ListExpression(IReadOnlyList<Expression> Items, bool IsTuple) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object?[] items = [.. Items.Select(item => item.Evaluate(scope))];
        return IsTuple ? items : items.ToList();
    }
}

internal sealed record MappingExpression(IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression
{
    protected override object? Compute(Scope scope)
    {
        var mapping = new Mapping();
        foreach (var (key, value) in Entries)
        {
            object? name = key.Evaluate(scope);
            mapping[name as string ?? throw new JinjaException($"{Values.TypeName(name)} cannot be the key of a mapping; only strings are supported")] = value.Evaluate(scope);
        }
        return mapping;
    }
}

internal sealed record ConditionalExpression(Expression Then, Expression Condition, Expression? Else) : Expression
{
    protected override object? Compute(Scope scope) => Values.IsTrue(Condition.Evaluate(scope)) ? Then.Evaluate(scope)
        : Else is null ? new Undefined("the value of an 'if' without 'else'") : Else.Evaluate(scope);
}

/// <summary><c>and</c>, <c>or</c>: the value that decided.</summary>
internal sealed record LogicalExpression(bool IsAnd, Expression Left, Expression Right) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object? left = Left.Evaluate(scope);
        return Values.IsTrue(left) == IsAnd ? Right.Evaluate(scope) : left;
    }
}

internal sealed record NotExpression(Expression Operand) : Expression
{
    protected override object? Compute(Scope scope) => !Values.IsTrue(Operand.Evaluate(scope));
}

/// <summary>Comparisons in a row, each with the one before: <c>1 &lt; x &lt; 3</c>.</summary>
internal sealed record ComparisonExpression(Expression First, IReadOnlyList<(string Sign, Expression Operand)> Rest) : Expression
{
    protected override object? Compute(Scope scope)
    {
        object? left = First.Evaluate(scope);
        foreach (var (sign, operand) in Rest)
        {
            object? right = operand.Evaluate(scope);
            bool holds = sign switch
            {
                "==" => Values.AreEqual(left, right, scope.Budget),
                "!=" => !Values.AreEqual(left, right, scope.Budget),
                "<" => Values.Compare(left, right, scope.Budget) < 0,
                "<=" => Values.Compare(left, right, scope.Budget) <= 0,
                ">" => Values.Compare(left, right, scope.Budget) > 0,
                ">=" => Values.Compare(left, right, scope.Budget) >= 0,
                "in" => Values.Contains(right, left, scope.Budget),
                _ => !Values.Contains(right, left, scope.Budget),
            };
            if (!holds)
            {
                return false;
            }
            left = right;
        }
        return true;
    }
}

internal sealed record SignExpression(bool Minus, Expression Operand) : Expression
{
    protected override object? Compute(Scope scope) => Arithmetic.Combine(Minus ? "-" : "+", 0L, Operand.Evaluate(scope), scope.Budget);
}

internal sealed record ArithmeticExpression(string Sign, Expression Left, Expression Right) : Expression
{
    protected override object? Compute(Scope scope) => Arithmetic.Combine(Sign, Left.Evaluate(scope), Right.Evaluate(scope), scope.Budget);
}

/// <summary><c>value|filter(…)</c>.</summary>
internal sealed record FilterExpression(Expression? Target, string Name, CallArguments Arguments) : Expression
{
    protected override object? Compute(Scope scope) => Apply(Target!.Evaluate(scope), scope);

    public object? Apply(object? subject, Scope scope) => Filters.Apply(Arguments.Evaluate(Name, subject, scope));
}

/// <summary><c>value is test(…)</c>.</summary>
internal sealed record TestExpression(Expression Target, string Name, CallArguments Arguments) : Expression
{
    protected override object? Compute(Scope scope) => Tests.Holds(Arguments.Evaluate(Name, Target.Evaluate(scope), scope));
}
