using System.Text.RegularExpressions;

namespace LatentMoE.Operators.Tests;

/// <summary>The library's own tests, in C++ under AddressSanitizer and UBSan: one case for each TEST in the folder native.</summary>
public sealed partial class NativeTests
{
    private static readonly Lazy<(Dictionary<string, string> Outcomes, string Output)> run = new(Run);

    private static readonly string[] declared =
        [.. Directory.GetFiles(NativeBuild.Sources, "*.cpp").SelectMany(file => Declaration().Matches(File.ReadAllText(file))).Select(m => m.Groups[1].Value)];

    public static TheoryData<string> Declared { get; } = [.. declared];

    [Theory]
    [MemberData(nameof(Declared))]
    public void Native_Passes(string test) => Assert.Equal("pass", run.Value.Outcomes.GetValueOrDefault(test) ?? "no result\n" + run.Value.Output);

    [Fact]
    public void Native_RunsWhatItsSourcesDeclare()
    {
        Assert.NotEmpty(declared);
        Assert.Equal(declared.Order(StringComparer.Ordinal), run.Value.Outcomes.Keys.Order(StringComparer.Ordinal));
    }

    private static (Dictionary<string, string> Outcomes, string Output) Run()
    {
        var (code, output) = NativeBuild.Execute(Path.Combine(NativeBuild.Folder, "operators_tests"));
        var outcomes = Result().Matches(output).ToDictionary(m => m.Groups[2].Value, m => m.Groups[1].Value == "pass" ? "pass" : m.Value);
        // A sanitizer ends the program at its first finding; leaks are found at the end.
        bool complete = code == (outcomes.Values.All(outcome => outcome == "pass") ? 0 : 1) && !output.Contains("LeakSanitizer");
        Assert.True(complete, $"the native tests ended with exit code {code}:\n{output}");
        return (outcomes, output);
    }

    [GeneratedRegex(@"^TEST\((\w+)\)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(pass|fail) (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Result();
}
