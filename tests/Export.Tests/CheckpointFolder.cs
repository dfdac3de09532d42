using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests;

/// <summary>A checkpoint to damage and the place of its package, in one temporary folder.</summary>
internal sealed class CheckpointFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public CheckpointFolder(ModelConfig? config = null)
    {
        Config = config ?? TestConfigs.LatentMoE;
        RandomCheckpoint.Write(Checkpoint, Config, tokens: 12);
    }

    public ModelConfig Config { get; }
    public string Root => folder.Path;
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

    /// <summary>The error of an export that must fail, after checking that it left nothing behind.</summary>
    public TException Fails<TException>(ExportOptions? options = null) where TException : Exception
    {
        string[] before = [.. Directory.EnumerateFileSystemEntries(Root).Order()];
        var error = Assert.Throws<TException>(() => Exporter.Run(options ?? Options));
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(Root).Order());
        return error;
    }

    public void Dispose() => folder.Dispose();
}
