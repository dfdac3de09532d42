using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LatentMoE.Runtime.Tests.Grammars;

public class PatternTests
{
    [Theory]
    [InlineData("ab")]
    [InlineData("^ab$")]
    [InlineData("^a|b$")]
    [InlineData("^(?:a|bc)*?d?$")]
    [InlineData("^(a?){2,3}b{2}$")]
    [InlineData("^[^a-c]+$")]
    [InlineData("^[\\d\\-x]{1,}\\.?$")]
    [InlineData("^\\w+\\s\\W$")]
    [InlineData("^\\D\\S$")]
    [InlineData("^[]a$|^[^]$")]
    [InlineData("^.\\n\\x61\\u0062$")]
    [InlineData("^\\/\\\\[\\]\\\\]*$")]
    [InlineData("(ab|ba)+c")]
    [InlineData("")]
    public void Pattern_MatchesAsDotNetDoes(string pattern)
    {
        const string Letters = "aabbccd1 x-.\n\\/]_é\"";
        var grammar = Grammar.FromJsonSchema(new JsonObject { ["type"] = "string", ["pattern"] = pattern }.ToJsonString());
        // Where .NET differs from ECMA-262: empty classes, and a '$' that also stands before a last line end.
        string dotNet = pattern.Replace("[]", "(?!)", StringComparison.Ordinal).Replace("[^]", "[\\s\\S]", StringComparison.Ordinal).Replace("$", "(?![\\s\\S])", StringComparison.Ordinal);
        var random = new Random(1);
        for (int trial = 0; trial < 1500; trial++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => Letters[random.Next(Letters.Length)]));
            string written = "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "\"";
            bool expected = Regex.IsMatch(text, dotNet, RegexOptions.ECMAScript);
            Assert.True(grammar.Accepts(written) == expected, $"/{pattern}/ against {written}: expected {expected}");
        }
    }

    [Fact]
    public void Pattern_ClassOfCodePoints_TakesExactlyThose()
    {
        int[] edges = [0x1F, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x10FFFF];
        var random = new Random(2);
        for (int trial = 0; trial < 40; trial++)
        {
            int low = edges[random.Next(edges.Length)], high = edges[random.Next(edges.Length)];
            (low, high) = (Math.Min(low, high), Math.Max(low, high));
            var grammar = Grammar.FromJsonSchema($$"""{"type":"string","pattern":"^[\\u{{{low:x}}}-\\u{{{high:x}}}]$"}""");
            foreach (int value in edges.SelectMany(edge => new[] { edge - 1, edge, edge + 1 }).Where(Rune.IsValid))
            {
                string text = value < 0x20 ? $"\\u{value:x4}" : value is '"' or '\\' ? $"\\{(char)value}" : new Rune(value).ToString();
                Assert.True(grammar.Accepts($"\"{text}\"") == (value >= low && value <= high), $"U+{value:X4} in U+{low:X4} to U+{high:X4}");
            }
        }
    }

    [Fact]
    public void Range_OfNumbers_HoldsExactlyThose()
    {
        var random = new Random(3);
        for (int trial = 0; trial < 40; trial++)
        {
            decimal scale = random.Next(2) == 0 ? 1 : 0.1m, low = random.Next(-120, 120) * scale, high = low + (random.Next(100) * scale);
            int unit = random.Next(1, 9);
            bool below = random.Next(2) == 0, above = random.Next(2) == 0;
            string schema = string.Create(CultureInfo.InvariantCulture,
                $"{{\"type\":\"number\",\"{(below ? "exclusiveMinimum" : "minimum")}\":{low},\"{(above ? "exclusiveMaximum" : "maximum")}\":{high},\"multipleOf\":{unit * 0.05m}}}");
            bool Holds(decimal value) => (below ? value > low : value >= low) && (above ? value < high : value <= high) && value % (unit * 0.05m) == 0;
            decimal[] values = [.. Enumerable.Range(-2500, 5000).Select(i => i * 0.05m)];
            if (!values.Any(Holds))
            {
                Assert.ThrowsAny<ArgumentException>(() => Grammar.FromJsonSchema(schema));
                continue;
            }
            var grammar = Grammar.FromJsonSchema(schema);
            Assert.All(values, value =>
            {
                string text = value.ToString(CultureInfo.InvariantCulture);
                Assert.True(grammar.Accepts(text) == Holds(value), $"{schema}: {text}");
            });
        }
    }
}
