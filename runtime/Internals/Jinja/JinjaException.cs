namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>What is wrong with a template, or with what it was asked to do; the message begins with the line where that is known.</summary>
internal sealed class JinjaException : Exception
{
    public JinjaException(string message)
        : base(message)
    {
    }

    public JinjaException(int line, string message)
        : base($"line {line}: {message}") => HasLine = true;

    public JinjaException(int line, JinjaException cause)
        : base($"line {line}: {cause.Message}", cause) => (HasLine, Refusal) = (true, cause.Refusal);

    /// <summary>Whether the message says where.</summary>
    public bool HasLine { get; }

    /// <summary>The template's own words, where it refused with <c>raise_exception</c>.</summary>
    public string? Refusal { get; init; }
}
