using System.Text.RegularExpressions;

namespace LatentMoE.Operators.Tests;

/// <summary>
/// The library's side of the CUDA driver, on a fake libcuda.so.1 that runs kernels through the emulation: one case for each TEST in the
/// folder fake_driver, under AddressSanitizer and UBSan.
/// </summary>
public sealed partial class CudaDriverTests
{
    private static readonly Lazy<string> built = new(() => NativeBuild.Make("fake_driver"));

    private static readonly Lazy<(Dictionary<string, string> Outcomes, string Output)> run = new(Run);

    private static readonly string[] declared =
        [.. Directory.GetFiles(Path.Combine(NativeBuild.Sources, "..", "fake_driver"), "driver_test_*.cpp")
            .SelectMany(file => Declaration().Matches(File.ReadAllText(file))).Select(m => m.Groups[1].Value)];

    public static TheoryData<string> Declared { get; } = [.. declared];

    [Theory]
    [MemberData(nameof(Declared))]
    public void Driver_Passes(string test) => Assert.Equal("pass", run.Value.Outcomes.GetValueOrDefault(test) ?? "no result\n" + run.Value.Output);

    [Fact]
    public void Driver_RunsWhatItsSourcesDeclare()
    {
        Assert.NotEmpty(declared);
        Assert.Equal(declared.Order(StringComparer.Ordinal), run.Value.Outcomes.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("", "", "usable: Emulated GPU, compute capability 9.0, driver for CUDA 12.4")]
    [InlineData("driverless", "", "not usable: the NVIDIA driver is too old: libcuda.so.1 has no cuInit")]
    [InlineData("", "cuInit=100", "not usable: the NVIDIA driver cannot be initialised: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)")]
    [InlineData("", "cuCtxGetCurrent=201", "usable: Emulated GPU, compute capability 9.0, driver for CUDA 12.4")]
    public void Status_OfADriver_IsOneLine(string folder, string script, string expected)
    {
        var (code, output) = Execute(Path.Combine(built.Value, folder), script, "--status");
        Assert.Equal((0, expected + "\n"), (code, output));
    }

    private static (Dictionary<string, string> Outcomes, string Output) Run()
    {
        var (code, output) = Execute(built.Value, "");
        var outcomes = Result().Matches(output).ToDictionary(m => m.Groups[2].Value, m => m.Groups[1].Value == "pass" ? "pass" : m.Value);
        bool complete = code == (outcomes.Values.All(outcome => outcome == "pass") ? 0 : 1) && !output.Contains("LeakSanitizer");
        Assert.True(complete, $"the driver's tests ended with exit code {code}:\n{output}");
        return (outcomes, output);
    }

    private static (int Code, string Output) Execute(string drivers, string script, params string[] arguments) =>
        NativeBuild.Execute("env", [$"LD_LIBRARY_PATH={drivers}", $"FAKE_CUDA={script}", Path.Combine(built.Value, "driver_tests"), .. arguments]);

    [GeneratedRegex(@"^TEST\((\w+)\)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(pass|fail) (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Result();
}
