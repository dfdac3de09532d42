namespace LatentMoE.Runtime;

/// <summary>
/// A language that answers must belong to: while one is written, tokens after which it could no longer be completed are not chosen.
/// Immutable; one grammar serves any number of generations.
/// </summary>
public sealed class Grammar
{
    private Grammar()
    {
    }

    /// <summary>Any JSON object (RFC 8259).</summary>
    public static Grammar JsonObject { get; } = new();

    /// <summary>JSON that a schema (JSON Schema 2020-12) describes.</summary>
    /// <exception cref="ArgumentException">It is not a schema, or uses a keyword that cannot be enforced; the message names it and where it stands.</exception>
    public static Grammar FromJsonSchema(string schema)
    {
        ArgumentException.ThrowIfNullOrEmpty(schema);
        return new Grammar();
    }

    /// <summary>The state at the start of an answer, over the tokens of a model.</summary>
    internal ITokenConstraint Begin(TokenVocabulary vocabulary) => throw new NotSupportedException("grammars are not built yet");
}
