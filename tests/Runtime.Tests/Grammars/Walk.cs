using System.Text;

namespace LatentMoE.Runtime.Tests.Grammars;

/// <summary>Vocabularies without a model, and walks through a grammar over them.</summary>
internal static class Walk
{
    public const int End = 0, Special = 1, FirstByte = 2;

    /// <summary>An end token, a special token without bytes, and every byte.</summary>
    public static TokenVocabulary Bytes { get; } = Vocabulary([]);

    /// <summary>The bytes, and so many random joins of text that JSON is made of; some tokens cut characters.</summary>
    public static TokenVocabulary Merged(int size, int seed)
    {
        var random = new Random(seed);
        string[] parts =
        [
            "{\"", "\":", "\": ", "\",", "\"}", "\":\"", ",\"", ", \"", "}", "},", "[", "]", "[\"", "\"]", "true", "false", "null", "12", "0", "00", "-1", ".5", "e", "1e",
            "\n", "\n  ", "  ", " ", "the", "name", "na", "me", "age", "a", "b", "é", "日本", "😀", "\\n", "\\u00", "\\ud83d", "\\", "\"", "2024-", "-0", "T", ":0", "Z", "x@y.",
        ];
        var texts = parts.Select(Encoding.UTF8.GetBytes).ToList();
        while (texts.Count < size - 258)
        {
            byte[] joined = [.. texts[random.Next(texts.Count)], .. texts[random.Next(texts.Count)]];
            int cut = random.Next(4) == 0 ? random.Next(joined.Length) : 0;
            texts.Add(joined[cut..Math.Min(joined.Length, cut + 16)]);
        }
        return Vocabulary(texts);
    }

    public static TokenVocabulary Vocabulary(IReadOnlyList<byte[]> texts)
    {
        byte[][] tokens = [[], [], .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), .. texts];
        return new TokenVocabulary(id => tokens[id], tokens.Length, new HashSet<int> { End });
    }

    public static bool Allows(this ITokenConstraint constraint, int token) => (constraint.Allowed()[token >> 6] >> (token & 63) & 1) != 0;

    public static List<int> AllowedTokens(this ITokenConstraint constraint, TokenVocabulary vocabulary) =>
        [.. Enumerable.Range(0, vocabulary.Size).Where(constraint.Allows)];

    /// <summary>Whether a text is an answer, byte by byte.</summary>
    public static bool Accepts(this Grammar grammar, string text) => grammar.Accepts(Encoding.UTF8.GetBytes(text), out _);

    /// <summary>Whether bytes are an answer; if not, how many of them are the start of one.</summary>
    public static bool Accepts(this Grammar grammar, ReadOnlySpan<byte> text, out int read)
    {
        var constraint = grammar.Begin(Bytes);
        for (read = 0; read < text.Length; read++)
        {
            if (!constraint.Allows(FirstByte + text[read]))
            {
                return false;
            }
            constraint.Accept(FirstByte + text[read]);
        }
        return constraint.Allows(End);
    }

    /// <summary>A random answer. Past some tokens it takes the shortest way out, as far as the next byte shows it.</summary>
    public static string Answer(Grammar grammar, TokenVocabulary vocabulary, Random random, Action<ITokenConstraint, List<byte>>? visit = null)
    {
        var constraint = grammar.Begin(vocabulary);
        var text = new List<byte>();
        int free = random.Next(5, 60);
        for (int step = 0; ; step++)
        {
            visit?.Invoke(constraint, text);
            var allowed = constraint.AllowedTokens(vocabulary);
            Assert.True(allowed.Count > 0 && step < 20_000, $"{allowed.Count} tokens may follow {Encoding.UTF8.GetString([.. text.Take(200)])}, step {step}");
            if (allowed[0] == End && (allowed.Count == 1 || step > free || random.Next(3) == 0))
            {
                Assert.True(allowed.Count > 1 || constraint.IsComplete);
                return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text.ToArray());
            }
            Assert.False(constraint.IsComplete);
            allowed.Remove(End);
            if (step > free && random.Next(4) > 0)
            {
                int best = allowed.Min(token => Rank(vocabulary.Bytes(token)));
                allowed.RemoveAll(token => Rank(vocabulary.Bytes(token)) > best);
            }
            int chosen = allowed[random.Next(allowed.Count)];
            text.AddRange(vocabulary.Bytes(chosen));
            constraint.Accept(chosen);
        }
    }

    private static int Rank(ReadOnlySpan<byte> bytes) => (bytes.Length * 8) + (bytes[0] switch
    {
        (byte)'"' => 0,
        (byte)'}' or (byte)']' => 1,
        (byte)',' => 5,
        (byte)'{' or (byte)'[' => 6,
        (byte)' ' or (byte)'\n' => 7,
        _ => 2,
    });
}
