using System.CommandLine;
using System.CommandLine.Parsing;

namespace LatentMoE.Training.Commands;

/// <summary>The options that repeat a run, as one writes them on a command line.</summary>
internal static class RunArguments
{
    /// <summary>The preset, those of <paramref name="options"/> that were given, and the steps that were taken, where they say what was not given.</summary>
    /// <remarks>Of a path only the name is kept: the text goes where others read it.</remarks>
    public static string Text(ParseResult parsed, IEnumerable<Option> options, int? steps = null)
    {
        var given = options.Select(option => (option.Name, Result: parsed.GetResult(option)))
            .Where(o => o.Result is { } result && (!result.Implicit || o.Name == "--preset"))
            .Select(o => o.Result!.Implicit ? $"{o.Name}={parsed.GetValue<string>(o.Name)}" : $"{o.Name}={Value(o.Result.Tokens)}");
        return string.Join(' ', steps is null ? [.. given] : [.. given, FormattableString.Invariant($"--steps={steps}")]);
    }

    private static string Value(IReadOnlyList<Token> tokens)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(tokens[^1].Value));
        return name.All(c => char.IsAsciiLetterOrDigit(c) || "-_.+".Contains(c, StringComparison.Ordinal)) ? name
            : $"'{name.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}
