using System.Text;
using System.Text.RegularExpressions;

namespace LatentMoE.Operators.Tests;

/// <summary>The PTX images in the library that the build made are of the kernels that the emulation runs.</summary>
public sealed partial class GpuImageTests
{
    private static readonly string[] images = [.. Images()];

    private static readonly string[] targets = ["sm_80", "sm_90"];

    public static TheoryData<string> Targets { get; } = [.. targets];

    [Fact]
    public void Images_AreOfTheTargets() => Assert.Equal(targets, images.Select(Target).Distinct().Order());

    [Theory]
    [MemberData(nameof(Targets))]
    public void Images_HaveTheKernelsOfTheEmulation(string target)
    {
        var (code, registered) = NativeBuild.Execute(Path.Combine(GpuEmulationTests.Folder.Value, "emulated_kernels"));
        Assert.Equal(0, code);
        var entries = images.Where(image => Target(image) == target).SelectMany(image => Entry().Matches(image)).Select(Signature);
        Assert.Equal(registered.Split('\n', StringSplitOptions.RemoveEmptyEntries), entries.Order(StringComparer.Ordinal));
    }

    /// <summary>Shared memory is given at launch, and nothing is kept in global memory from one launch to the next.</summary>
    [Fact]
    public void Images_HaveNoMemoryOfTheirOwn() => Assert.All(images, image =>
        Assert.All(Variable().Matches(image).Select(m => m.Value), variable => Assert.Matches(@"^\.extern \.shared .*dynamic_shared\w*\[\];$", variable)));

    private static IEnumerable<string> Images()
    {
        string library = Encoding.Latin1.GetString(File.ReadAllBytes(OperatorsLibrary.Path));
        return Image().Matches(library).Select(m => m.Value);
    }

    private static string Target(string image) => TargetLine().Match(image).Groups[1].Value;

    /// <summary>Name, most threads and types of parameters, as the emulation writes them.</summary>
    private static string Signature(Match entry) =>
        string.Join(' ', [entry.Groups[1].Value, entry.Groups[3].Value, .. Parameter().Matches(entry.Groups[2].Value).Select(m => m.Groups[1].Value)]);

    [GeneratedRegex(@"\.version \d[^\0]*")]
    private static partial Regex Image();

    [GeneratedRegex(@"^\.target (\w+)", RegexOptions.Multiline)]
    private static partial Regex TargetLine();

    [GeneratedRegex(@"^\.visible \.entry (\w+)\(([^)]*)\)\s*\.maxntid (\d+)", RegexOptions.Multiline)]
    private static partial Regex Entry();

    [GeneratedRegex(@"\.param \.(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\s*(\.\w+ )*\.(shared|global|const) .*$", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
