namespace Microsoft.ML.Tokenizers;

/// <summary>One token of an encoded text.</summary>
public readonly struct EncodedToken : IEquatable<EncodedToken>
{
    public EncodedToken(int id, string value, Range offset)
    {
        Id = id;
        Value = value;
        Offset = offset;
    }

    public int Id { get; }

    /// <summary>The token as the vocabulary spells it; with a byte-level tokenizer, in the byte alphabet.</summary>
    public string Value { get; }

    /// <summary>The UTF-16 characters of the text that the token touches; two tokens that share a character's bytes both touch it.</summary>
    public Range Offset { get; }

    public bool Equals(EncodedToken other) => Id == other.Id && Value == other.Value && Offset.Equals(other.Offset);

    public override bool Equals(object? obj) => obj is EncodedToken other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Id, Value, Offset);
}
