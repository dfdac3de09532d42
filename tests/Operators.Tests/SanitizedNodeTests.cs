using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

/// <summary>The whole library under AddressSanitizer and UBSan, in ONNX Runtime: what is wrong is refused without a bad access.</summary>
public sealed class SanitizedNodeTests
{
    [Fact]
    public void Nodes_Malformed_AreRefused()
    {
        var nodes = MalformedNodeTests.Cases.ToDictionary(c => c.Key, c => c.Value.Node);
        string[] lines = Run([.. nodes.Values]);
        Assert.All(lines.Zip(nodes), pair =>
        {
            Assert.StartsWith("error", pair.First);
            Assert.True(pair.First.Contains($"latentmoe.{pair.Second.Value.Op} '{RawNode.Name}'"), $"{pair.Second.Key}: {pair.First}");
        });
    }

    [Fact]
    public void Nodes_OfEveryType_Run() => Assert.All(Run([.. RawNodes.All.Values]), line => Assert.StartsWith("ran", line));

    // The outcome of every node, its inputs being constants of its model.
    private static string[] Run(RawNode[] nodes)
    {
        using var folder = new TemporaryFolder();
        string[] files = [.. nodes.Select((_, i) => folder[$"{i}.onnx"])];
        foreach (var (file, node) in files.Zip(nodes))
        {
            File.WriteAllBytes(file, (node with { Constants = true }).Model());
        }
        string runtime = Directory.GetFiles(AppContext.BaseDirectory, "libonnxruntime.so", SearchOption.AllDirectories).First();
        string library = Path.Combine(NativeBuild.Folder, "liblatentmoe_ops.so");
        var (code, output) = NativeBuild.ExecuteWithLeaks(Path.Combine(NativeBuild.Folder, "run_models"), [runtime, library, .. files]);
        Assert.True(code == 0, $"run_models ended with exit code {code}:\n{output}");
        // ONNX Runtime has leaks of its own, which do not change the exit code.
        Assert.DoesNotMatch(@"#\d+ .*(latentmoe::|liblatentmoe_ops)", output);
        string[] lines = [.. output.Split('\n').Where(line => line.StartsWith("ran ") || line.StartsWith("error "))];
        Assert.Equal(nodes.Length, lines.Length);
        return lines;
    }
}
