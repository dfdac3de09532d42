namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>What a loop's body finds under <c>loop</c>.</summary>
internal sealed class Loop(IReadOnlyList<object?> items)
{
    private object?[]? _last;

    public Round At(int index) => new(this, index);

    /// <summary>One round of the loop.</summary>
    public sealed class Round(Loop loop, int index)
    {
        private int Count => loop.Items.Count;

        /// <summary>A member by its name; undefined where there is none.</summary>
        public object? this[string name] => name switch
        {
            "index" => index + 1L,
            "index0" => (long)index,
            "revindex" => (long)(Count - index),
            "revindex0" => Count - index - 1L,
            "first" => index == 0,
            "last" => index == Count - 1,
            "length" => (long)Count,
            "previtem" => index > 0 ? loop.Items[index - 1] : new Undefined("the item before the first"),
            "nextitem" => index < Count - 1 ? loop.Items[index + 1] : new Undefined("the item after the last"),
            "cycle" => (Function)(a => a.Positional.Count > 0 ? a.Positional[index % a.Positional.Count] : throw a.Wrong("wants at least one value")),
            "changed" => (Function)loop.HasChanged,
            _ => new Undefined($"'{name}' of a loop"),
        };
    }

    private IReadOnlyList<object?> Items => items;

    private object? HasChanged(Arguments arguments)
    {
        object?[] now = [.. arguments.Positional];
        bool differs = _last is null || !Values.AreEqual(_last, now, arguments.Budget);
        _last = now;
        return differs;
    }
}
