using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary><c>{% for target in items if condition %}…{% else %}…{% endfor %}</c>; names that its body sets are gone after each round.</summary>
internal sealed record ForStatement(int Line, Target Target, Expression Items, Expression? Condition, BlockStatement Body, BlockStatement? Else) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var items = Select(Values.Items(Items.Evaluate(scope), scope.Budget), scope);
        scope.Budget.Spend(10L * items.Count);
        if (items.Count == 0)
        {
            return Else?.Run(scope, output) ?? Flow.Next;
        }
        var loop = new Loop(items);
        for (int index = 0; index < items.Count; index++)
        {
            var inner = scope.Inner();
            inner["loop"] = loop.At(index);
            Target.Assign(inner, items[index]);
            if (Body.Run(inner, output) == Flow.Break)
            {
                break;
            }
        }
        return Flow.Next;
    }

    private IReadOnlyList<object?> Select(IReadOnlyList<object?> items, Scope scope)
    {
        if (Condition is null)
        {
            return items;
        }
        return [.. items.Where(item =>
        {
            var inner = scope.Inner();
            Target.Assign(inner, item);
            return Values.IsTrue(Condition.Evaluate(inner));
        })];
    }
}
