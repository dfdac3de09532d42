using System.Diagnostics;

namespace LatentMoE.Runtime.Tests.Grammars;

public class SchemaErrorTests
{
    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "expected a schema")]
    [InlineData("""{"type":"integer","type":"string"}""", "not JSON")]
    [InlineData("""{"type":"int"}""", "'#/type'", "\"int\"", "integer")]
    [InlineData("""{"properties":{"a/b":{"not":{}}}}""", "'#/properties/a~1b/not'", "'not'")]
    [InlineData("""{"properties":{"a":{"$id":"x"}}}""", "'$id'")]
    [InlineData("""{"patternProperties":{}}""", "'patternProperties'")]
    [InlineData("""{"uniqueItems":true}""", "'uniqueItems'")]
    [InlineData("""{"if":{},"then":{}}""", "'if'")]
    [InlineData("""{"items":3}""", "'#/items'", "found 3")]
    [InlineData("""{"properties":[]}""", "'#/properties'", "expected an object")]
    [InlineData("""{"anyOf":[]}""", "'#/anyOf'", "expected a list of schemas")]
    [InlineData("""{"enum":3}""", "'#/enum'", "expected a list")]
    [InlineData("""{"minLength":-1}""", "'#/minLength'", "-1")]
    [InlineData("""{"minItems":99999999999}""", "'#/minItems'", "99999999999")]
    [InlineData("""{"maximum":"3"}""", "'#/maximum'", "expected a number")]
    [InlineData("""{"multipleOf":0}""", "'#/multipleOf'", "above 0")]
    [InlineData("""{"minimum":1e999}""", "'#/minimum'", "digits")]
    [InlineData("""{"$ref":"http://example.org/x"}""", "'#/$ref'", "http://example.org/x")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "'#/$ref'", "there is no '#/$defs'")]
    [InlineData("""{"$ref":"#"}""", "refers to itself")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"},{"type":"null"}]},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}""", "refers to itself")]
    [InlineData("false", "allows no value")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""", "allows no value")]
    [InlineData("""{"type":"integer","exclusiveMinimum":3,"exclusiveMaximum":4}""", "allows no value")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "allows no value", "contains itself")]
    [InlineData("""{"type":"string","pattern":"^a$","minLength":2}""", "allows no value")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "allows no value")]
    [InlineData("""{"pattern":"a(?=b)"}""", "'#/pattern'", "(?=", "offset 3")]
    [InlineData("""{"pattern":"(a)\\1"}""", "'\\1'")]
    [InlineData("""{"pattern":"a\\b"}""", "'\\b'")]
    [InlineData("""{"pattern":"\\p{L}"}""", "'\\p'")]
    [InlineData("""{"pattern":"a^b"}""", "'^'")]
    [InlineData("""{"pattern":"(a$)"}""", "'$'")]
    [InlineData("""{"pattern":"a$b"}""", "'$'")]
    [InlineData("""{"pattern":"(a"}""", "not closed")]
    [InlineData("""{"pattern":"[a"}""", "not closed")]
    [InlineData("""{"pattern":"a)"}""", "closes no group")]
    [InlineData("""{"pattern":"*a"}""", "nothing to repeat")]
    [InlineData("""{"pattern":"a{3,2}"}""", "m at most n")]
    [InlineData("""{"pattern":"[z-a]"}""", "ends before it starts")]
    [InlineData("""{"enum":["\ud800"]}""", "surrogate")]
    [InlineData("""{"enum":[[1]],"minItems":1}""", "'enum'")]
    public void FromJsonSchema_Wrong_NamesWhatAndWhere(string schema, params string[] told)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Grammar.FromJsonSchema(schema));
        Assert.All(told, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "text", "{\"title\":\"" + new string('a', 300_000) + "\"}" },
        { "values", "{\"enum\":[" + string.Join(',', Enumerable.Range(0, 20_000)) + "]}" },
        { "levels", string.Concat(Enumerable.Repeat("{\"items\":", 400)) + "{}" + new string('}', 400) },
        { "groups", "{\"pattern\":\"" + new string('(', 5000) + "\"}" },
        { "anyOf to a power", "{\"allOf\":[" + string.Join(',', Enumerable.Repeat("{\"anyOf\":[{\"minimum\":1},{\"maximum\":2},{\"minLength\":3}]}", 30)) + "]}" },
        { "references to a power", "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + string.Join(',', Enumerable.Range(0, 40)
            .Select(i => $"\"d{i}\":{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i + 1}\"}},{{\"$ref\":\"#/$defs/d{i + 1}\"}}]}}")) + ",\"d40\":{}}}" },
        { "pattern to a power", """{"pattern":"^(a|b)*a(a|b){30}$"}""" },
        { "nested counts", """{"pattern":"^(((a{0,1000}){0,1000}){0,1000}){0,1000}$"}""" },
        { "pattern of a great length", """{"pattern":"a","maxLength":1000000}""" },
        { "great multiple", """{"type":"integer","multipleOf":999999}""" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void FromJsonSchema_Hostile_IsRefusedSoon(string name, string schema)
    {
        var clock = Stopwatch.StartNew();
        Assert.ThrowsAny<ArgumentException>(() => Grammar.FromJsonSchema(schema));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{name}: {clock.Elapsed}");
    }

    [Theory]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":1000000000}""", "[1,2,")]
    [InlineData("""{"type":"string","minLength":1000000,"maxLength":2000000000}""", "\"abc")]
    [InlineData("""{"$ref":"#/$defs/t","$defs":{"t":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/t"}},{"type":"array","items":{"$ref":"#/$defs/t"},"maxItems":99}]}}}""", "[[[[[[[[[[[[[[[[[[[[[[[[]]],[[]],")]
    public void FromJsonSchema_GreatCountsAndAmbiguity_StaySmall(string schema, string start)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var grammar = Grammar.FromJsonSchema(schema);
        grammar.Accepts(System.Text.Encoding.UTF8.GetBytes(start), out int read);
        Assert.Equal(start.Length, read);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 400_000_000);
    }

    public static TheoryData<string, string> Multiplied()
    {
        string any = "\"anyOf\":[" + string.Join(',', Enumerable.Repeat("{}", 1000)) + "]";
        string low = string.Join(',', Enumerable.Range(0, 4000)), high = string.Join(',', Enumerable.Range(10_000, 4000));
        string names = string.Join(',', Enumerable.Range(0, 4000).Select(i => $"\"a{i}\""));
        string properties = string.Join(',', Enumerable.Range(0, 4000).Select(i => $"\"a{i}\":{{}}"));
        string items = string.Join(',', Enumerable.Repeat("{}", 4000));
        var data = new TheoryData<string, string>
        {
            { "enum", $"{{{any},\"enum\":[{low}],\"allOf\":[{{\"enum\":[{high}]}}]}}" },
            { "enum first", $"{{\"enum\":[{low}],{any},\"allOf\":[{{\"enum\":[{high}]}}]}}" },
            { "enum alone", $"{{\"enum\":[{low}],{any}}}" },
        };
        foreach (string shared in new[] { $"\"properties\":{{{properties}}}", $"\"required\":[{names}]", $"\"prefixItems\":[{items}]", $"\"enum\":[{low}]" })
        {
            foreach (int count in new[] { 1, 50 })
            {
                string all = "\"allOf\":[" + string.Join(',', Enumerable.Repeat("{\"$ref\":\"#/$defs/p\"}", count)) + "]";
                string defs = $"\"$defs\":{{\"p\":{{{shared}}}}}";
                data.Add($"{count} {shared[..9]}", $"{{{any},{all},{defs}}}");
                data.Add($"{count} {shared[..9]} first", $"{{{all},{any},{defs}}}");
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Multiplied))]
    public void FromJsonSchema_LongListsTimesAlternatives_AreRefusedSoon(string name, string schema)
    {
        var clock = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.ThrowsAny<ArgumentException>(() => Grammar.FromJsonSchema(schema));
        Assert.Contains("too complex", error.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"{name}: {clock.Elapsed}");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 600_000_000);
    }

    [Fact]
    public void FromJsonSchema_LongLists_CompileSoon()
    {
        var clock = Stopwatch.StartNew();
        string values = string.Join(',', Enumerable.Range(0, 2000).Select(i => $"\"value {i}\""));
        string properties = string.Join(',', Enumerable.Range(0, 300).Select(i => $"\"name{i}\":{{\"type\":\"integer\"}}"));
        string names = string.Join(',', Enumerable.Range(0, 300).Select(i => $"\"name{i}\""));
        Assert.True(Grammar.FromJsonSchema($"{{\"enum\":[{values}],\"allOf\":[{{\"enum\":[{values}]}}]}}").Accepts("\"value 1999\""u8, out _));
        Assert.True(Grammar.FromJsonSchema($"{{\"type\":\"object\",\"properties\":{{{properties}}}}}").Accepts("{\"name7\":1}"u8, out _));
        Assert.False(Grammar.FromJsonSchema($"{{\"type\":\"object\",\"properties\":{{{properties}}},\"required\":[{names}]}}").Accepts("{}"u8, out _));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"{clock.Elapsed}");
    }

    [Theory]
    [InlineData("""{"enum":[1.0,"a",{"x":1,"y":[2]}],"allOf":[{"enum":[{"y":[20e-1],"x":1},10e-1]}]}""", "1.0", "{\"x\":1,\"y\":[2]}")]
    [InlineData("""{"enum":["1",1,"\u0061"],"allOf":[{"enum":["a","1"]}]}""", "\"a\"", "\"1\"")]
    public void FromJsonSchema_EnumsTogether_CompareByValue(string schema, params string[] good) =>
        Assert.All(good, text => Assert.True(Grammar.FromJsonSchema(schema).Accepts(System.Text.Encoding.UTF8.GetBytes(text), out _), text));
}
