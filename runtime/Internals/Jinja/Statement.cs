using System.Runtime.CompilerServices;
using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>How a statement ended: whether the loop around it goes on.</summary>
internal enum Flow
{
    Next,
    Continue,
    Break,
}

/// <summary>A part of a template that writes or changes something.</summary>
internal abstract record Statement(int Line)
{
    public Flow Run(Scope scope, StringBuilder output)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Spend(1);
        try
        {
            return Execute(scope, output);
        }
        catch (JinjaException e) when (!e.HasLine)
        {
            throw new JinjaException(Line, e);
        }
    }

    protected abstract Flow Execute(Scope scope, StringBuilder output);
}

internal sealed record DataStatement(int Line, string Text) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        scope.Budget.Spend(Text.Length);
        output.Append(Text);
        return Flow.Next;
    }
}

internal sealed record OutputStatement(int Line, Expression Value) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        output.Append(PythonText.Print(Value.Evaluate(scope), scope.Budget));
        return Flow.Next;
    }
}

internal sealed record BlockStatement(int Line, IReadOnlyList<Statement> Body) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        foreach (var statement in Body)
        {
            if (statement.Run(scope, output) is var flow and not Flow.Next)
            {
                return flow;
            }
        }
        return Flow.Next;
    }

    /// <summary>What the block writes.</summary>
    public string Capture(Scope scope)
    {
        var output = new StringBuilder();
        Run(scope, output);
        return output.ToString();
    }
}

internal sealed record LoopControlStatement(int Line, Flow Flow) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) => Flow;
}

internal sealed record IfStatement(int Line, Expression Condition, BlockStatement Then, Statement? Else) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) =>
        Values.IsTrue(Condition.Evaluate(scope)) ? Then.Run(scope, output) : Else?.Run(scope, output) ?? Flow.Next;
}

/// <summary><c>{% set a, ns.b = … %}</c>.</summary>
internal sealed record SetStatement(int Line, Target Target, Expression Value) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        Target.Assign(scope, Value.Evaluate(scope));
        return Flow.Next;
    }
}

/// <summary><c>{% set a %}…{% endset %}</c>, and <c>{% filter f %}…{% endfilter %}</c> where there is no target.</summary>
internal sealed record CaptureStatement(int Line, Target? Target, IReadOnlyList<FilterExpression> Through, BlockStatement Body) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        object? text = Body.Capture(scope.Inner());
        foreach (var filter in Through)
        {
            text = filter.Apply(text, scope);
        }
        if (Target is null)
        {
            output.Append(PythonText.Print(text, scope.Budget));
        }
        else
        {
            Target.Assign(scope, text);
        }
        return Flow.Next;
    }
}
