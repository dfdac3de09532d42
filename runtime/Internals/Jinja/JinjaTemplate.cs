namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>
/// A template in the part of Jinja (3.1) that chat templates use, rendered as Hugging Face renders them: trim_blocks, lstrip_blocks, loop controls,
/// values that templates cannot change. What a rendering may cost is limited. Immutable: one template serves many threads.
/// </summary>
internal sealed class JinjaTemplate
{
    /// <summary>Steps that a rendering may take beside those for what it is given: many more than a template with all its branches takes.</summary>
    public const long Steps = 5_000_000;

    private readonly BlockStatement _body;

    private JinjaTemplate(BlockStatement body) => _body = body;

    /// <exception cref="JinjaException">The text is no template, or has a statement that is not supported.</exception>
    public static JinjaTemplate Parse(string source)
    {
        try
        {
            return new JinjaTemplate(Parser.Parse(source));
        }
        catch (InsufficientExecutionStackException)
        {
            throw new JinjaException("statements or brackets are nested too deep");
        }
    }

    /// <exception cref="JinjaException">The template refuses, fails, uses what is not supported, or does not end.</exception>
    public string Render(IReadOnlyDictionary<string, object?> names, TimeProvider? clock = null, long steps = Steps)
    {
        try
        {
            var scope = new Scope(Globals.Create(clock ?? TimeProvider.System), new Budget(steps));
            foreach (var (name, value) in names)
            {
                scope[name] = value;
            }
            return _body.Capture(scope);
        }
        catch (InsufficientExecutionStackException)
        {
            throw new JinjaException("the template or its values are nested too deep");
        }
    }
}
