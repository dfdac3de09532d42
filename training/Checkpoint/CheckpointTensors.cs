using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace LatentMoE.Checkpoints;

/// <summary>The weights of a Hugging Face checkpoint folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
public sealed class CheckpointTensors : IDisposable
{
    private readonly List<SafetensorsFile> files;
    private readonly Dictionary<string, SafetensorsTensor> tensors = [];

    private CheckpointTensors(string folder, List<SafetensorsFile> files)
    {
        (Folder, this.files) = (folder, files);
        foreach (var tensor in files.SelectMany(f => f.Tensors))
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
            {
                throw new CheckpointException($"{tensor.File}: tensor {tensor.Name} is also in {tensors[tensor.Name].File}.");
            }
        }
    }

    public string Folder { get; }
    public IReadOnlyCollection<SafetensorsTensor> Tensors => tensors.Values;

    /// <exception cref="CheckpointException">There is no tensor of that name.</exception>
    public SafetensorsTensor this[string name] => TryGet(name, out var tensor) ? tensor
        : throw new CheckpointException($"{Folder}: tensor {name} is missing from the checkpoint.");

    public bool TryGet(string name, [MaybeNullWhen(false)] out SafetensorsTensor tensor) => tensors.TryGetValue(name, out tensor);

    /// <exception cref="CheckpointException">There are no weights, or a file of them is damaged.</exception>
    public static CheckpointTensors Open(string folder)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            foreach (string name in Names(folder))
            {
                files.Add(SafetensorsFile.Open(Path.Combine(folder, name)));
            }
            return new(folder, files);
        }
        catch
        {
            files.ForEach(f => f.Dispose());
            throw;
        }
    }

    public void Dispose() => files.ForEach(f => f.Dispose());

    private static IEnumerable<string> Names(string folder)
    {
        string index = Path.Combine(folder, "model.safetensors.index.json");
        if (File.Exists(Path.Combine(folder, "model.safetensors")))
        {
            return ["model.safetensors"];
        }
        if (!File.Exists(index))
        {
            throw new CheckpointException($"{folder}: holds neither model.safetensors nor model.safetensors.index.json. Train first, or name a Hugging Face checkpoint folder.");
        }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(index));
            string[] names = [.. document.RootElement.GetProperty("weight_map").EnumerateObject().Select(p => p.Value.GetString() ?? "").Distinct().Order(StringComparer.Ordinal)];
            foreach (string name in names)
            {
                if (name.Length == 0 || Path.GetFileName(name) != name || name is "." or "..")
                {
                    throw new CheckpointException($"{index}: weight_map names \"{name}\"; expected the name of a file in the same folder.");
                }
            }
            return names;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CheckpointException($"{index}: expected a JSON object with a weight_map: {e.Message}", e);
        }
    }
}
