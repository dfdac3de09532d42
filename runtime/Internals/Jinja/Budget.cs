namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>
/// What one rendering may cost: steps of the template, and characters and elements that it makes. So a template that never ends, or makes more
/// than there is memory, is refused instead.
/// </summary>
internal sealed class Budget(long limit)
{
    /// <summary>Brackets, statements, values and macro calls within each other.</summary>
    public const int MaxDepth = 100;

    private long _spent;

    public void Spend(long amount)
    {
        _spent += amount;
        if (_spent > limit)
        {
            throw new JinjaException($"the template does more than {limit} steps, far more than any conversation of this length needs");
        }
    }
}
