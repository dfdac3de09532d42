namespace LatentMoE.Runtime.Internals.Jinja;

internal enum TokenKind
{
    /// <summary>Text outside of <c>{{ }}</c> and <c>{% %}</c>.</summary>
    Data,
    OutputBegin,
    OutputEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A token of a template: its text (a string's value, without quotes) and the line where it starts.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.OutputEnd => "}}",
        TokenKind.BlockEnd => "%}",
        TokenKind.String => "a string",
        TokenKind.Data => "text",
        _ => $"'{Text}'",
    };
}
