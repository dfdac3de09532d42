using System.Text.RegularExpressions;

namespace LatentMoE.Operators.Tests;

/// <summary>The CUDA kernels' real sources on the emulation, under AddressSanitizer and UBSan: one case for each TEST in the folder gpu.</summary>
public sealed partial class GpuEmulationTests
{
    private static readonly Lazy<(Dictionary<string, string> Outcomes, string Output)> run = new(Run);

    private static readonly string[] declared =
        [.. Directory.GetFiles(Path.Combine(NativeBuild.Sources, "..", "gpu"), "*_test.cpp")
            .SelectMany(file => Declaration().Matches(File.ReadAllText(file))).Select(m => m.Groups[1].Value)];

    /// <summary>The folder of the programs gpu_tests and emulated_kernels.</summary>
    internal static Lazy<string> Folder { get; } = new(() => NativeBuild.Make("gpu"));

    public static TheoryData<string> Declared { get; } = [.. declared];

    [Theory]
    [MemberData(nameof(Declared))]
    public void Kernels_Pass(string test) => Assert.Equal("pass", run.Value.Outcomes.GetValueOrDefault(test) ?? "no result\n" + run.Value.Output);

    [Fact]
    public void Kernels_RunWhatTheirTestsDeclare()
    {
        Assert.NotEmpty(declared);
        Assert.Equal(declared.Order(StringComparer.Ordinal), run.Value.Outcomes.Keys.Order(StringComparer.Ordinal));
    }

    private static (Dictionary<string, string> Outcomes, string Output) Run()
    {
        string program = Path.Combine(Folder.Value, "gpu_tests");
        int shares = Environment.ProcessorCount;
        var runs = Enumerable.Range(0, shares).AsParallel().WithDegreeOfParallelism(shares)
            .Select(share => NativeBuild.Execute(program, $"--share={share}/{shares}")).ToArray();
        string output = string.Concat(runs.Select(r => r.Output));
        var outcomes = Result().Matches(output).ToDictionary(m => m.Groups[2].Value, m => m.Groups[1].Value == "pass" ? "pass" : m.Value);
        // A sanitizer ends a program at its first finding; leaks are found at the end.
        bool complete = runs.Max(r => r.Code) == (outcomes.Values.All(outcome => outcome == "pass") ? 0 : 1) && !output.Contains("LeakSanitizer");
        Assert.True(complete, $"the kernels' tests ended with exit codes {string.Join(", ", runs.Select(r => r.Code))}:\n{output}");
        return (outcomes, output);
    }

    [GeneratedRegex(@"^TEST\((\w+)\)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(pass|fail) (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Result();
}
