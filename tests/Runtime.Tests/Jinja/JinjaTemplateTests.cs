using System.Text.Json;
using LatentMoE.Runtime.Internals.Jinja;

namespace LatentMoE.Runtime.Tests.Jinja;

public class JinjaTemplateTests
{
    private static readonly JsonElement Reference = Read();

    public static TheoryData<int> Cases { get; } = [.. Enumerable.Range(0, Reference.GetProperty("cases").GetArrayLength())];

    // cases.json holds what Jinja itself gives; reference.py wrote it.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Render_AsJinjaDoes(int index)
    {
        var entry = Reference.GetProperty("cases")[index];
        string template = entry.GetProperty("template").GetString()!;
        var names = (Mapping)Value(Reference.GetProperty("names"))!;
        if (entry.GetProperty("text").GetString() is string expected)
        {
            Assert.Equal(expected, JinjaTemplate.Parse(template).Render(names));
        }
        else
        {
            Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render(names));
        }
    }

    [Fact]
    public void Cases_AreOfBothKinds()
    {
        var texts = Reference.GetProperty("cases").EnumerateArray().Select(entry => entry.GetProperty("text").ValueKind).ToList();
        Assert.True(texts.Count(kind => kind == JsonValueKind.String) > 60);
        Assert.True(texts.Count(kind => kind == JsonValueKind.Null) > 30);
    }

    [Theory]
    [InlineData("a\n{{ 1|shout }}", "line 2: the filter 'shout' is not supported")]
    [InlineData("{{ 1 is loud }}", "line 1: the test 'loud' is not supported")]
    [InlineData("\n\n{% include 'x' %}", "line 3: the statement 'include' is not supported")]
    [InlineData("{% for x in y recursive %}{% endfor %}", "line 1: 'recursive' loops are not supported; use a macro")]
    [InlineData("a\n{% if x %}\nb", "line 2: 'if' has no 'endif'")]
    [InlineData("{{ 'a", "line 1: a string is not closed")]
    [InlineData("{{ (1 ]", "line 1: unexpected ']'")]
    [InlineData("{{ x.y.z }}", "line 1: 'x' is not defined, so it has no 'y'")]
    [InlineData("{{ [].append(1) }}", "line 1: 'append' of a list is not defined, so it cannot be called")]
    [InlineData("{{ '%s' % 1 }}", "line 1: formatting a string with % is not supported; join its parts with ~")]
    [InlineData("{% macro f(a) %}{% endmacro %}\n{{ f(1, 2) }}", "line 2: 'f' takes 1 arguments, not 2")]
    [InlineData("{{ 'a'|trim(charz='a') }}", "line 1: 'trim' has no argument 'charz'")]
    [InlineData("{{ raise_exception('no ' ~ 1) }}", "line 1: the template says: no 1")]
    public void Failure_IsNamedWithItsLine(string template, string message) =>
        Assert.Equal(message, Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render(new Mapping())).Message);

    [Theory]
    [InlineData("%Y-%m-%d", "2026-03-05")]
    [InlineData("%d %b %Y", "05 Mar 2026")]
    [InlineData("%-d. %B %y, %A %a %j", "5. March 26, Thursday Thu 064")]
    [InlineData("%H:%M:%S %I %p %%", "14:07:09 02 PM %")]
    public void StrftimeNow_FormatsTheClock(string format, string expected)
    {
        var names = new Mapping { ["format"] = format };
        Assert.Equal(expected, JinjaTemplate.Parse("{{ strftime_now(format) }}").Render(names, new StoppedClock()));
    }

    [Fact]
    public void Render_FromManyThreads_GivesEachItsOwn()
    {
        var template = JinjaTemplate.Parse("{% set ns = namespace(n=0) %}{% for i in range(200) %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}");
        Parallel.For(0, 32, x => Assert.Equal($"{200 * x}", template.Render(new Mapping { ["x"] = (long)x })));
    }

    private static JsonElement Read()
    {
        using var stream = typeof(JinjaTemplateTests).Assembly.GetManifestResourceStream("jinja-cases.json")!;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    private static object? Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.Null => null,
        JsonValueKind.Array => element.EnumerateArray().Select(Value).ToList(),
        JsonValueKind.Object => Object(element),
        var kind => throw new InvalidOperationException($"{kind}"),
    };

    private static Mapping Object(JsonElement element)
    {
        var mapping = new Mapping();
        foreach (var property in element.EnumerateObject())
        {
            mapping[property.Name] = Value(property.Value);
        }
        return mapping;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 3, 5, 14, 7, 9, TimeSpan.Zero);
    }
}
