using System.Diagnostics;
using System.Text.Json.Nodes;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Field;

namespace LatentMoE.Export.Tests.Field;

/// <summary>An export holds some rows of a tensor at a time, whatever the size of the model.</summary>
public sealed class FieldMemoryTests
{
    // Numbers of 4 bytes: the embedding alone would take 128 MiB, an expert's matrices 12 MiB, the model 500 MiB.
    private const int HeapLimit = 24 << 20;

    [Fact]
    public async Task Export_HoldsNeitherTheModelNorATensor()
    {
        using var folder = new TemporaryFolder();
        var config = (JsonObject)JsonNode.Parse(FieldConfigs.V2Lite)!;
        foreach (var (key, value) in new[]
        {
            ("hidden_size", 1024), ("vocab_size", 32_768), ("moe_intermediate_size", 1024), ("intermediate_size", 2048), ("n_routed_experts", 16),
            ("num_hidden_layers", 2), ("kv_lora_rank", 128),
        })
        {
            config[key] = value;
        }
        FieldCheckpoint.WriteZeros(folder["checkpoint"], config.ToJsonString());
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "LatentMoE.Export.dll"), "export",
            "--checkpoint", folder["checkpoint"], "--precision", "int8", "--output", folder["package"]])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = $"0x{HeapLimit:x}";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output + await error);
        string text = output.ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal); // Lines are broken anywhere.
        Assert.Contains("checkpointdeepseek_v2:2layersofwidth1024", text, StringComparison.Ordinal);
        Assert.Contains("tensors:72BF16in1file", text, StringComparison.Ordinal);
        Assert.Contains("withouteffectonthemodel:architectures,", text, StringComparison.Ordinal);
        Assert.True(new FileInfo(folder["package/model.onnx.data"]).Length > 4L * HeapLimit);
    }
}
