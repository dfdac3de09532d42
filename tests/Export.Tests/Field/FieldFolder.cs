using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Field;

namespace LatentMoE.Export.Tests.Field;

/// <summary>A checkpoint in the field's form and the place of its package, in one temporary folder.</summary>
internal sealed class FieldFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public FieldFolder(string config, SafetensorsType type = SafetensorsType.BF16, int shards = 1, SafetensorsType scales = SafetensorsType.F32) =>
        Written = FieldCheckpoint.Write(Checkpoint, config, type, shards, scales);

    /// <summary>A checkpoint of the names in <see cref="Forms"/>.</summary>
    public static FieldFolder Of(string form)
    {
        var (config, type, shards, scales) = Forms[form];
        return new(config, type, shards, scales);
    }

    /// <summary>Configurations with types, shards and types of factors.</summary>
    public static IReadOnlyDictionary<string, (string Config, SafetensorsType Type, int Shards, SafetensorsType Scales)> Forms { get; } =
        new Dictionary<string, (string, SafetensorsType, int, SafetensorsType)>
        {
            ["v2-lite"] = (FieldConfigs.V2Lite, SafetensorsType.BF16, 4, SafetensorsType.F32),
            ["v2"] = (FieldConfigs.V2, SafetensorsType.F16, 2, SafetensorsType.F32),
            // No published checkpoint is so: its code would normalise the weights, and then not scale them.
            ["v2-normalised"] = (FieldConfigs.V2.Replace("\"norm_topk_prob\": false", "\"norm_topk_prob\": true", StringComparison.Ordinal), SafetensorsType.BF16, 1, SafetensorsType.F32),
            ["v3"] = (FieldConfigs.V3, SafetensorsType.BF16, 3, SafetensorsType.F32),
            ["v3-small-blocks"] = (FieldConfigs.V3.Replace("[128, 128]", "[16, 48]", StringComparison.Ordinal), SafetensorsType.BF16, 1, SafetensorsType.F8_E8M0),
            ["tied"] = (FieldConfigs.Tied, SafetensorsType.F16, 1, SafetensorsType.F32),
            ["plain"] = (FieldConfigs.Plain, SafetensorsType.F32, 2, SafetensorsType.F32),
        };

    public FieldCheckpoint Written { get; }
    public string Checkpoint => folder["checkpoint"];
    public string Output => folder["package"];
    public ExportOptions Options => new() { Checkpoint = Checkpoint, Output = Output };

    public string File(string name) => Path.Combine(Checkpoint, name);

    /// <summary>Changes a JSON file of the checkpoint.</summary>
    public void Edit(string name, Action<JsonObject> change)
    {
        var json = (JsonObject)JsonNode.Parse(System.IO.File.ReadAllText(File(name)))!;
        change(json);
        System.IO.File.WriteAllText(File(name), json.ToJsonString());
    }

    /// <summary>Rewrites a safetensors file of the checkpoint.</summary>
    public void Edit(string name, Func<List<SafetensorsEntry>, IEnumerable<SafetensorsEntry>> change)
    {
        List<SafetensorsEntry> entries;
        using (var file = SafetensorsFile.Open(File(name)))
        {
            entries = [.. file.Tensors.Select(t => SafetensorsEntry.Of(t.Name, t.DType, [.. t.Shape], t.Bytes))];
        }
        SafetensorsWriter.Write(File(name), change(entries));
    }

    /// <summary>The message of an export that must be refused, after checking that it left nothing behind.</summary>
    public string Refused(ExportOptions? options = null)
    {
        string message = Assert.Throws<CheckpointException>(() => Exporter.Run(options ?? Options)).Message;
        Assert.Equal([Checkpoint], Directory.EnumerateFileSystemEntries(folder.Path));
        return message;
    }

    /// <summary>Random tokens of the checkpoint's vocabulary.</summary>
    public long[] Ids(int count, int seed = 3)
    {
        var random = new RandomNumbers(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(0, (int)Written.Config["vocab_size"]!))];
    }

    public void Dispose() => folder.Dispose();
}
