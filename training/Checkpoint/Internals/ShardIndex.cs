using System.Text.Json;

namespace LatentMoE.Checkpoints.Internals;

/// <summary><c>model.safetensors.index.json</c>: which file of the folder holds which tensor.</summary>
internal sealed class ShardIndex
{
    public const string FileName = "model.safetensors.index.json";
    private readonly string file;
    private readonly Dictionary<string, string> shards = [];

    private ShardIndex(string file, JsonElement root)
    {
        this.file = file;
        foreach (var entry in root.GetProperty("weight_map").EnumerateObject())
        {
            string name = entry.Value.GetString() ?? "";
            if (name.Length == 0 || Path.GetFileName(name) != name || name is "." or "..")
            {
                throw new CheckpointException($"{file}: weight_map names \"{name}\"; expected the name of a file in the same folder.");
            }
            if (!shards.TryAdd(entry.Name, name))
            {
                throw new CheckpointException($"{file}: weight_map names tensor {entry.Name} twice.");
            }
        }
    }

    /// <summary>Names of the files, each once.</summary>
    public IEnumerable<string> Files => shards.Values.Distinct().Order(StringComparer.Ordinal);

    /// <exception cref="CheckpointException">It is not JSON of the expected form, or names a file elsewhere or that is not there.</exception>
    public static ShardIndex Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var index = new ShardIndex(file, document.RootElement);
            foreach (string shard in index.Files.Where(shard => !File.Exists(Path.Combine(folder, shard))))
            {
                throw new CheckpointException($"{file}: weight_map names {shard}, which the folder does not have. The checkpoint is incomplete: fetch it again.");
            }
            return index;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CheckpointException($"{file}: expected a JSON object with a weight_map: {e.Message}", e);
        }
    }

    /// <summary>Compares with what the files hold.</summary>
    /// <param name="found">The tensors of all files, each once.</param>
    /// <exception cref="CheckpointException">A tensor is in no file, in another than the index says, or not in the index.</exception>
    public void Check(IReadOnlyDictionary<string, SafetensorsTensor> found)
    {
        const string Remedy = "The checkpoint is damaged or mixed from two: fetch it again.";
        foreach (var (name, shard) in shards)
        {
            if (!found.TryGetValue(name, out var tensor))
            {
                throw new CheckpointException($"{file}: tensor {name} should be in {shard}, but no file has it. {Remedy}");
            }
            if (Path.GetFileName(tensor.File) != shard)
            {
                throw new CheckpointException($"{file}: tensor {name} should be in {shard}, but is in {Path.GetFileName(tensor.File)}. {Remedy}");
            }
        }
        if (found.Values.FirstOrDefault(t => !shards.ContainsKey(t.Name)) is SafetensorsTensor extra)
        {
            throw new CheckpointException($"{file}: tensor {extra.Name} of {Path.GetFileName(extra.File)} is not in the weight_map. {Remedy}");
        }
    }
}
