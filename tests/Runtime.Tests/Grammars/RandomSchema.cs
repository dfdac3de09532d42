using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Runtime.Tests.Grammars;

/// <summary>A random schema, and random values for which it holds, written compactly with properties in its order.</summary>
internal sealed record RandomSchema(JsonNode Schema, Func<Random, string> Instance)
{
    public static RandomSchema Create(Random random, int depth) => random.Next(depth > 0 ? 12 : 8) switch
    {
        0 => new(new JsonObject { ["type"] = "null" }, _ => "null"),
        1 => new(new JsonObject { ["type"] = "boolean" }, r => r.Next(2) == 0 ? "true" : "false"),
        2 => Text(random),
        3 => Pattern(random),
        4 => Integer(random),
        5 => Number(random),
        6 => Listed(random),
        7 => new(random.Next(2) == 0 ? new JsonObject() : true, r => Any(r, 2)),
        8 => Array(random, depth),
        9 => AnyOf(random, depth),
        _ => Object(random, depth),
    };

    private static RandomSchema Text(Random random)
    {
        int min = random.Next(4), max = min + random.Next(5);
        return new(new JsonObject { ["type"] = "string", ["minLength"] = min, ["maxLength"] = max }, r => Quote(r, RandomText(r, r.Next(min, max + 1))));
    }

    private static RandomSchema Pattern(Random random)
    {
        string letters = "abcxyz"[..random.Next(1, 6)];
        int min = random.Next(1, 4), max = min + random.Next(3);
        return new(new JsonObject { ["type"] = "string", ["pattern"] = $"^[{letters}]{{{min},{max}}}(-\\d+)?$" }, r =>
            $"\"{string.Concat(Enumerable.Range(0, r.Next(min, max + 1)).Select(_ => letters[r.Next(letters.Length)]))}{(r.Next(2) == 0 ? "" : $"-{r.Next(1000)}")}\"");
    }

    private static RandomSchema Integer(Random random)
    {
        int size = (int)Math.Pow(10, random.Next(1, 9)), low = random.Next(-size, size), high = low + random.Next(size);
        return new(new JsonObject { ["type"] = "integer", ["minimum"] = low, ["exclusiveMaximum"] = high + 1L }, r => r.NextInt64(low, high + 1L).ToString(CultureInfo.InvariantCulture));
    }

    private static RandomSchema Number(Random random)
    {
        int low = random.Next(-9999, 9999), high = low + random.Next(1, 5000);
        static decimal Hundredth(int value) => value / 100m;
        return new(new JsonObject { ["type"] = "number", ["minimum"] = Hundredth(low), ["maximum"] = Hundredth(high) },
            r => Hundredth(r.Next(low, high + 1)).ToString(CultureInfo.InvariantCulture));
    }

    private static RandomSchema Listed(Random random)
    {
        string[] values = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Any(random, 1))];
        return new(new JsonObject { ["enum"] = new JsonArray([.. values.Select(value => JsonNode.Parse(value))]) }, r => values[r.Next(values.Length)]);
    }

    private static RandomSchema Array(Random random, int depth)
    {
        var first = Enumerable.Range(0, random.Next(3)).Select(_ => Create(random, depth - 1)).ToList();
        var other = Create(random, depth - 1);
        int min = random.Next(4), max = min + random.Next(4);
        return new(new JsonObject
        {
            ["type"] = "array", ["prefixItems"] = new JsonArray([.. first.Select(one => one.Schema)]), ["items"] = other.Schema, ["minItems"] = min, ["maxItems"] = max,
        }, r => "[" + string.Join(',', Enumerable.Range(0, r.Next(min, max + 1)).Select(i => (i < first.Count ? first[i] : other).Instance(r))) + "]");
    }

    private static RandomSchema AnyOf(Random random, int depth)
    {
        var options = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Create(random, depth - 1)).ToList();
        return new(new JsonObject { ["anyOf"] = new JsonArray([.. options.Select(one => one.Schema)]) }, r => options[r.Next(options.Count)].Instance(r));
    }

    private static RandomSchema Object(Random random, int depth)
    {
        var members = Enumerable.Range(0, random.Next(5)).Select(i => (Name: $"{RandomText(random, 2)}{i}", Required: random.Next(2) == 0, Value: Create(random, depth - 1))).ToList();
        var other = random.Next(2) == 0 ? null : Create(random, depth - 1);
        var properties = new JsonObject();
        members.ForEach(member => properties[member.Name] = member.Value.Schema);
        return new(new JsonObject
        {
            ["type"] = "object", ["properties"] = properties, ["required"] = new JsonArray([.. members.Where(member => member.Required).Select(member => (JsonNode)member.Name)]),
            ["additionalProperties"] = other?.Schema ?? false,
        }, r => "{" + string.Join(',', members.Where(member => member.Required || r.Next(2) == 0).Select(member => $"{Quote(null, member.Name)}:{member.Value.Instance(r)}")
            .Concat(Enumerable.Range(0, other is null ? 0 : r.Next(3)).Select(i => $"\"other{i}\":{other!.Instance(r)}")).ToList()) + "}");
    }

    private static string Any(Random random, int depth) => random.Next(depth > 0 ? 7 : 5) switch
    {
        0 => "null",
        1 => "true",
        2 => random.Next(-1000, 1000).ToString(CultureInfo.InvariantCulture),
        3 => (random.NextDouble() - 0.5).ToString(CultureInfo.InvariantCulture),
        4 => Quote(null, RandomText(random, random.Next(6))),
        5 => "[" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth - 1))) + "]",
        _ => "{" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(i => $"\"k{i}\":{Any(random, depth - 1)}")) + "}",
    };

    private static string RandomText(Random random, int length) =>
        string.Concat(Enumerable.Range(0, length).Select(_ => new[] { "a", "B", " ", "é", "日", "😀", "\"", "\\", "\n", "\u0001", "/", "0" }[random.Next(12)]));

    // Quoted, with the fewest escapes or, given a source, with some more.
    private static string Quote(Random? random, string text)
    {
        var result = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                < 32 => $"\\u{rune.Value:x4}",
                _ when random?.Next(4) == 0 => string.Concat(rune.ToString().Select(unit => $"\\u{(int)unit:X4}")),
                _ => rune.ToString(),
            });
        }
        return result.Append('"').ToString();
    }
}
