namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>A place for a value: a name, an attribute of a namespace, or several of these.</summary>
internal sealed record Target(string Name, string? Attribute, IReadOnlyList<Target>? Parts)
{
    public void Assign(Scope scope, object? value)
    {
        if (Parts is not null)
        {
            var items = Values.Items(value, scope.Budget);
            if (items.Count != Parts.Count)
            {
                throw new JinjaException($"{items.Count} values for {Parts.Count} names");
            }
            foreach (var (part, item) in Parts.Zip(items))
            {
                part.Assign(scope, item);
            }
        }
        else if (Attribute is null)
        {
            scope[Name] = value;
        }
        else
        {
            var space = scope[Name] as Namespace ?? throw new JinjaException($"'{Name}' is no namespace, so '{Attribute}' of it cannot be set");
            space.Attributes[Attribute] = value;
        }
    }
}
