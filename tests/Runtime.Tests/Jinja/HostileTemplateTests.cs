using System.Diagnostics;
using LatentMoE.Runtime.Internals.Jinja;

namespace LatentMoE.Runtime.Tests.Jinja;

/// <summary>A template comes with a model, from anywhere: whatever it holds, it ends in text or in a refusal, soon.</summary>
public class HostileTemplateTests
{
    private static readonly string[] Parts =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", "\n", " ", "  ", "x", "messages", "'", "\"", "\\", "(", ")", "[", "]", "{", "}", "|", ".",
        ",", ":", "=", "==", "+", "-", "*", "/", "//", "**", "%", "~", "<", "is", "not", "in", "and", "or", "if", "else", "elif", "endif", "for", "endfor", "set",
        "endset", "macro", "endmacro", "call", "endcall", "caller", "raw", "endraw", "filter", "endfilter", "break", "continue", "generation", "loop", "namespace", "range", "1", "-1",
        "9223372036854775807", "1.5e308", "none", "true", "trim", "tojson", "length", "join", "map", "sort", "first", "defined", "m", "é", "😀", "\ud800", "\0",
    ];

    [Theory]
    [InlineData("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "macros call each other more than 50 deep")]
    [InlineData("{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}", "macros call each other more than 50 deep")]
    [InlineData("{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}", "macros call each other more than 50 deep")]
    [InlineData("{% macro f(g) %}{{ g(*[g]) }}{% endmacro %}{{ f(*[f]) }}", "macros call each other more than 50 deep")]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "more than 5000000 steps")]
    [InlineData("{{ range(100000000)|length }}", "'range' of 100000000 numbers is too long; 100000 may be")]
    [InlineData("{{ range(-9223372036854775807, 9223372036854775807, 1) }}", "is too long")]
    [InlineData("{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "more than 5000000 steps")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "more than 5000000 steps")]
    [InlineData("{{ 'x' * 9223372036854775807 }}", "more than 5000000 steps")]
    [InlineData("{{ [1] * 9223372036854775807 }}", "more than 5000000 steps")]
    [InlineData("{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}", "more than 100 deep")]
    [InlineData("{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a|tojson }}", "more than 100 deep")]
    [InlineData("{% set ns = namespace(a=[],b=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ ns.a == ns.b }}", "nested too deep")]
    [InlineData("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns|tojson }}", "a namespace cannot be written as JSON")]
    [InlineData("{{ 'a'.replace('', 'xxxxxxxxxxxxxxxxxxxxxx' * 100000).replace('', 'y' * 100000) }}", "more than 5000000 steps")]
    [InlineData("{{ 'a'|map(filter='map') }}", "lacks its argument 'filter'")]
    [InlineData("{% set ns=namespace(a=[1],b=[1]) %}{% for i in range(60) %}{% set ns.a=[ns.a,ns.a] %}{% set ns.b=[ns.b,ns.b] %}{% endfor %}{{ ns.a == ns.b }}", "more than 5000000 steps")]
    [InlineData("{{ '' * 2147483647 }}", "more than 5000000 steps")]
    [InlineData("{{ [] * 2147483647 }}", "more than 5000000 steps")]
    [InlineData("{% for i in range(100000) %}{% if -1 in range(100000) %}{% endif %}{% endfor %}", "more than 5000000 steps")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{% if s|length == 0 or s|first == 'y' or s == s ~ '' %}{% endif %}{% endfor %}", "more than 5000000 steps")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "does not fit 64 bits")]
    [InlineData("{{ 10 ** 1000 }}", "does not fit 64 bits")]
    public void Cost_IsLimited(string template, string message)
    {
        var watch = Stopwatch.StartNew();
        Assert.Contains(message, Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render(new Mapping())).Message);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
    }

    [Theory]
    [InlineData("{{ ", "(", "1", ")", " }}")]
    [InlineData("{{ ", "[", "1", "]", " }}")]
    [InlineData("{{ ", "-", "1", "", " }}")]
    [InlineData("{{ ", "not ", "1", "", " }}")]
    [InlineData("{{ ", "{'a':", "1", "}", " }}")]
    [InlineData("{{ ", "1 if 1 else ", "1", "", " }}")]
    [InlineData("", "{% if 1 %}", "", "{% endif %}", "")]
    [InlineData("{% if 0 %}", "{% elif 0 %}", "", "", "{% endif %}")]
    public void Nesting_IsLimited(string before, string open, string middle, string close, string after)
    {
        string Nested(int depth) => before + string.Concat(Enumerable.Repeat(open, depth)) + middle + string.Concat(Enumerable.Repeat(close, depth)) + after;
        JinjaTemplate.Parse(Nested(20)).Render(new Mapping());
        Assert.Contains("more than 100 deep", Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(Nested(20_000))).Message);
    }

    [Theory]
    [InlineData("+1")]
    [InlineData("|string")]
    [InlineData(".x")]
    [InlineData(" or 0")]
    public void LongChain_IsRefusedOrRendered(string link)
    {
        string template = "{{ 1" + string.Concat(Enumerable.Repeat(link, 60_000)) + " }}";
        Attempt(template);
    }

    [Fact]
    public void RandomTemplates_NeverCrash()
    {
        var random = new Random(7);
        int rendered = 0;
        for (int i = 0; i < 30_000; i++)
        {
            rendered += Attempt(string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => Parts[random.Next(Parts.Length)]))) ? 1 : 0;
        }
        Assert.InRange(rendered, 100, 29_900);
    }

    [Fact]
    public void DamagedTemplates_NeverCrash()
    {
        var random = new Random(8);
        string whole = "{% set ns = namespace(n=0) %}{% for m in messages[1:] if m.role != 'x' %}{%- if loop.first and not ns.n %}{{ '<|' ~ m['role'] + '|>\n' }}"
            + "{%- elif m.content is string %}{{ m.content.split('\n')[-1]|trim|tojson(indent=2) }}{% else %}{% break %}{% endif %}{% set ns.n = ns.n + 1 %}{% endfor %}"
            + "{% macro f(a, b='c') %}{{ a ~ b }}{% endmacro %}{{ f(messages|length, b=messages|map(attribute='role')|join(', ')) }}";
        Assert.True(Attempt(whole));
        for (int i = 0; i < 5_000; i++)
        {
            int at = random.Next(whole.Length), length = random.Next(Math.Min(12, whole.Length - at) + 1);
            Attempt(whole[..at] + (random.Next(2) == 0 ? "" : Parts[random.Next(Parts.Length)]) + whole[(at + length)..]);
        }
    }

    private static bool Attempt(string template)
    {
        var messages = new List<object?> { new Mapping { ["role"] = "user", ["content"] = "a\nb" }, new Mapping { ["role"] = "assistant", ["content"] = " c " } };
        try
        {
            JinjaTemplate.Parse(template).Render(new Mapping { ["messages"] = messages });
            return true;
        }
        catch (JinjaException)
        {
            return false;
        }
    }
}
