using System.Text;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Json;

/// <summary>The pieces of JSON text (RFC 8259) that every grammar uses, and values written compactly.</summary>
internal static class JsonText
{
    /// <summary>Digits that a number has at most on either side of its point: whole numbers fit 64 bits.</summary>
    public const int MostDigits = 18;

    /// <summary>Between the members of a container: nothing, a space, or a line end with an indentation; 16 bytes at most.</summary>
    public static Node Gap { get; } = Plain(@" ?|\n[ \t]{0,15}");

    public static Node OptionalSpace { get; } = Plain(" ?");

    /// <summary>One character of a string, raw or in any of its escapes.</summary>
    public static Node Character { get; } = Plain("""
        [^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u(?:[0-9abcefABCEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})
        """);

    public static Node QuoteMark { get; } = Literal("\"");

    public static Node AnyString { get; } = new Sequence(QuoteMark, new Repeat(Character, 0, Repeat.Unlimited), QuoteMark);

    /// <summary>Any string with the fewest escapes.</summary>
    public static Dfa PlainString { get; } = Dfa.Of(new Sequence(QuoteMark, PatternParser.Parse("", inString: true), QuoteMark), new Budget())!;

    public static Node Null { get; } = Literal("null");

    public static Node Boolean { get; } = Plain("true|false");

    public static Node Whole { get; } = Plain(Decimal(MostDigits, 0));

    /// <summary>Any number, within the digits: a 64-bit float holds it finitely.</summary>
    public static Node Number { get; } = Plain($"{Decimal(MostDigits, MostDigits)}([eE][+-]?[0-9]{{1,2}})?");

    /// <summary>The pattern of numbers without exponent, with so many digits at most before and behind the point.</summary>
    public static string Decimal(int before, int behind) =>
        $"-?(?:0|[1-9][0-9]{{0,{before - 1}}})" + (behind == 0 ? "" : $"(?:\\.[0-9]{{1,{behind}}})?");

    public static Node Literal(string text) => Literals([Encoding.UTF8.GetBytes(text)], new Budget());

    public static Node Literals(IReadOnlyCollection<byte[]> texts, Budget budget, int height = 0) =>
        texts.Count == 0 ? Node.Nothing : new Regular(Dfa.OfLiterals(texts, budget), height);

    /// <summary>Text that matches a pattern from end to end.</summary>
    public static Node Plain(string pattern) => new Regular(Dfa.Of(PatternParser.Parse($"^(?:{pattern})$", inString: false), new Budget())!);

    /// <summary>A string with the fewest escapes, quotes around it.</summary>
    public static string Quote(string text)
    {
        var result = new StringBuilder("\"");
        foreach (char c in text)
        {
            result.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\f' => "\\f",
                '\r' => "\\r",
                < ' ' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }
        return result.Append('"').ToString();
    }

    /// <summary>A value without whitespace, its members in their order.</summary>
    public static string Compact(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject().Select(member => Quote(member.Name) + ":" + Compact(member.Value))) + "}",
        JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Compact)) + "]",
        JsonValueKind.String => Quote(value.GetString()!),
        _ => value.GetRawText(),
    };

    /// <summary>Levels of nesting of a value.</summary>
    public static int Levels(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => 1 + value.EnumerateObject().Select(member => Levels(member.Value)).DefaultIfEmpty().Max(),
        JsonValueKind.Array => 1 + value.EnumerateArray().Select(Levels).DefaultIfEmpty().Max(),
        _ => 0,
    };
}
