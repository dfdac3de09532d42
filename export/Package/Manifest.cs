using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Package.Internals;
using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Package;

/// <summary>
/// <c>manifest.json</c>: size and SHA-256 of every other file of the package, what it was made from and by, and how near its logits
/// are to the reference.
/// </summary>
internal static class Manifest
{
    public const string FileName = "manifest.json";

    /// <summary>Writes the manifest of the files that are in the folder now; returns their list.</summary>
    public static IReadOnlyList<HashedFile> Write(string folder, ExportOptions options, ModelConfig config, ParityReport? parity)
    {
        var visible = Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file)[0] != '.');
        List<HashedFile> files = [.. visible.Order(StringComparer.Ordinal).Select(Hash)];
        var manifest = new JsonObject
        {
            ["format"] = 1,
            ["tool"] = new JsonObject { ["name"] = DecoderGraph.ToolName, ["version"] = DecoderGraph.ToolVersion },
            ["model_type"] = config.ModelType,
            ["precision"] = options.Precision,
            ["activations"] = options.Activations,
            ["cache"] = options.CacheType,
            ["logits"] = FloatTypes.NameOf(DecoderGraph.LogitsType(FloatTypes.Of(options.Activations))),
            ["onnx"] = new JsonObject { ["ir_version"] = Opset.Ir, ["opset"] = Opset.Onnx, ["latentmoe"] = Opset.LatentMoE },
            ["source"] = Json(Source(options.Checkpoint).Select(path => CheckpointRead.From(path, () => Hash(path)))),
            ["parity"] = parity is null ? new JsonObject { ["skipped"] = ParityCheck.Skipped(options) } : Json(parity),
            ["files"] = Json(files),
        };
        if (options.Random is RandomModel random)
        {
            manifest["random_weights"] = new JsonObject { ["purpose"] = "benchmarks", ["preset"] = random.Name, ["seed"] = random.Seed };
        }
        File.WriteAllText(Path.Combine(folder, FileName), manifest.ToJsonString(PackageJson.Options) + "\n");
        return files;
    }

    /// <summary>Whether a folder holds a package of this program, which another may replace.</summary>
    public static bool IsPackage(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file) || !File.Exists(Path.Combine(folder, GenAIConfig.FileName)))
        {
            return false;
        }
        try
        {
            using var manifest = JsonDocument.Parse(File.ReadAllBytes(file));
            return manifest.RootElement.ValueKind == JsonValueKind.Object
                && manifest.RootElement.TryGetProperty("tool", out var tool) && tool.ValueKind == JsonValueKind.Object
                && tool.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && name.ValueEquals(DecoderGraph.ToolName);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // What the package depends on: configuration, weights, tokenizer, reference logits.
    private static IEnumerable<string> Source(string? checkpoint) => checkpoint is null ? [] : Directory.EnumerateFiles(checkpoint)
        .Where(file => Path.GetExtension(file) is ".safetensors" || Path.GetFileName(file) is "model.safetensors.index.json" or "config.json"
            or "generation_config.json" or "tokenizer.json" or "tokenizer_config.json" or "chat_template.jinja" or "special_tokens_map.json" or "training.json")
        .Order(StringComparer.Ordinal);

    private static HashedFile Hash(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return new(Path.GetFileName(path), stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    private static JsonNode? Json<T>(T value) => JsonSerializer.SerializeToNode(value, PackageJson.Options);
}
