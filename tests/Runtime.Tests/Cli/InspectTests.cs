using System.Text.Json;
using System.Text.RegularExpressions;

namespace LatentMoE.Runtime.Tests.Cli;

[Collection(nameof(TestPackages))]
public class InspectTests
{
    [Fact]
    public async Task Inspect_Json_IsThePackagesInfo()
    {
        var info = PackageInfo.Read(TestPackages.Package("LatentMoE"));
        var (code, output, error) = await CliProcess.Run(["inspect", "--model", info.Folder, "--json"]);
        Assert.Equal((0, ""), (code, error));
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(info.Parameters, json.GetProperty("parameters").GetInt64());
        Assert.Equal(info.ActiveParameters, json.GetProperty("active_parameters").GetInt64());
        Assert.Equal(info.FlopsPerToken, json.GetProperty("flops_per_token").GetInt64());
        Assert.Equal(info.Memory.CachePerToken, json.GetProperty("memory").GetProperty("cache_bytes_per_token").GetInt64());
        Assert.Equal(info.Experts!.TopK, json.GetProperty("experts").GetProperty("top_k").GetInt32());
        Assert.Equal(2, json.GetProperty("graph").GetProperty("operators").GetProperty("latentmoe.MoERouter").GetInt32());
        Assert.True(json.GetProperty("intact").GetBoolean());
        Assert.All(json.GetProperty("files").EnumerateArray(), file => Assert.Equal("intact", file.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Inspect_Piped_IsAlignedLines()
    {
        var (code, output, _) = await CliProcess.Run(["inspect", "--model", TestPackages.Package("LatentMoE")]);
        Assert.Equal(0, code);
        string[] model = [.. output.Split('\n').Skip(1).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))];
        Assert.Single(model.Select(line => Regex.Match(line, @"^  \S.*?  +(?=\S)").Length).Distinct()); // where the values begin
        Assert.Contains("3 of 8 routed, in 2 of 2 layers", output);
        Assert.Contains("OK: ", output);
    }

    [Fact]
    public async Task Inspect_ChangedFile_NamesItAndFails()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.Copy(Path.Combine(TestPackages.Package("LatentMoE"), "manifest.json"), folder["manifest.json"]);
        byte[] weights = File.ReadAllBytes(folder["model.onnx.data"]);
        weights[100] ^= 1;
        File.WriteAllBytes(folder["model.onnx.data"], weights);
        var (code, output, _) = await CliProcess.Run(["inspect", "--model", folder.Path]);
        Assert.Equal(1, code);
        Assert.Contains("model.onnx.data  differs from the manifest", output);
    }
}
