using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary><c>{% for target in items if condition %}…{% else %}…{% endfor %}</c>; names that its body sets are gone after each round.</summary>
internal sealed record ForStatement(int Line, Target Target, Expression Items, Expression? Condition, BlockStatement Body, BlockStatement? Else) : Statement(Line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var items = Select(Values.Items(Items.Evaluate(scope)), scope);
        scope.Budget.Spend(items.Count);
        if (items.Count == 0)
        {
            return Else?.Run(scope, output) ?? Flow.Next;
        }
        Box<object?> changed = new();
        for (int index = 0; index < items.Count; index++)
        {
            var inner = scope.Inner();
            inner["loop"] = Loop(items, index, changed);
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

    private static Mapping Loop(IReadOnlyList<object?> items, int index, Box<object?> changed) => new()
    {
        ["index"] = index + 1L,
        ["index0"] = (long)index,
        ["revindex"] = (long)(items.Count - index),
        ["revindex0"] = items.Count - index - 1L,
        ["first"] = index == 0,
        ["last"] = index == items.Count - 1,
        ["length"] = (long)items.Count,
        ["previtem"] = index > 0 ? items[index - 1] : new Undefined("the item before the first"),
        ["nextitem"] = index < items.Count - 1 ? items[index + 1] : new Undefined("the item after the last"),
        ["cycle"] = (Function)(arguments => arguments.Positional.Count > 0 ? arguments.Positional[index % arguments.Positional.Count]
            : throw arguments.Wrong("wants at least one value")),
        ["changed"] = (Function)(arguments =>
        {
            object?[] now = [.. arguments.Positional];
            bool differs = !Values.AreEqual(changed.Value, now);
            changed.Value = now;
            return differs;
        }),
    };

    private sealed class Box<T>
    {
        public T? Value { get; set; }
    }
}
