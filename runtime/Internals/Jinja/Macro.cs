using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>A function that returns what its body writes. The body sees the names of the place where the macro stands.</summary>
internal sealed record Macro(IReadOnlyList<(string Name, Expression? Default)> Parameters, BlockStatement Body)
{
    public Function Bind(Scope scope) => arguments =>
    {
        var inner = scope.Called(arguments.Caller);
        foreach (var (name, fallback) in Parameters)
        {
            object? value = arguments.Optional(name, this); // no argument can be this
            inner[name] = !ReferenceEquals(value, this) ? value : fallback is null ? new Undefined($"'{name}'") : fallback.Evaluate(inner);
        }
        if (arguments.CallerBody() is { } caller)
        {
            inner[Arguments.CallerName] = caller;
        }
        arguments.End();
        return Body.Capture(inner);
    };
}

/// <summary><c>{% macro name(…) %}…{% endmacro %}</c>.</summary>
internal sealed record MacroStatement(int Line, string Name, Macro Macro) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        scope[Name] = Macro.Bind(scope);
        return Flow.Next;
    }
}

/// <summary><c>{% call(…) macro(…) %}…{% endcall %}</c>: the macro writes, and finds the block's body under <c>caller</c>.</summary>
internal sealed record CallStatement(int Line, CallExpression Call, Macro Body) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        output.Append(PythonText.Print(Call.Call(scope, Body.Bind(scope)), scope.Budget));
        return Flow.Next;
    }
}
