using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Trainer;

/// <summary>How a checkpoint folder stands to the run that was asked for.</summary>
public enum RunStatus
{
    /// <summary>Nothing to go on from.</summary>
    Fresh,

    /// <summary>The same run, saved at some step.</summary>
    Unfinished,

    /// <summary>The same run, complete.</summary>
    Finished,
}

/// <summary>Another process trains in a folder.</summary>
public sealed class FolderBusyException(string message, Exception inner) : CheckpointException(message, inner);

/// <summary>
/// A checkpoint folder and what lies where in it. A run is known by its identity (model, recipe and data); a folder that holds
/// another run is never overwritten but renamed aside. While it is open, a lock file beside it keeps other processes out, so that
/// no folder moves under a process that trains in it.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string StateFolder = "trainer_state", BestFolder = "best", SummaryFile = "training.json";

    private readonly FileStream _lock;

    private RunFolder(string path, FileStream exclusive, RunStatus status, string? setAside) =>
        (Path, _lock, Status, SetAside) = (path, exclusive, status, setAside);

    public string Path { get; }
    public RunStatus Status { get; }

    /// <summary>Where the other run that was found here is now, or null.</summary>
    public string? SetAside { get; }

    /// <summary>What the run can go on from.</summary>
    public SavedStates States => new(System.IO.Path.Combine(Path, StateFolder));

    /// <summary>A checkpoint folder of its own: the weights as they were when the held-out loss was lowest.</summary>
    public string Best => System.IO.Path.Combine(Path, BestFolder);

    public string Metrics => System.IO.Path.Combine(Path, "metrics.jsonl");
    public string Summary => System.IO.Path.Combine(Path, SummaryFile);

    /// <summary>Opens or creates the folder for a run, which is its own until it is disposed.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="identity">What makes the run: two are the same if these are equal.</param>
    /// <exception cref="CheckpointException">The folder holds files that are no training run of ours, another process trains there, or it cannot be written.</exception>
    public static RunFolder Open(string path, JsonObject identity)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(path);
        FileStream? exclusive = null;
        try
        {
            if (File.Exists(path))
            {
                throw new CheckpointException($"{path}: is a file; expected a folder. Give another --output.");
            }
            exclusive = Lock(path);
            return Open(path, exclusive, identity);
        }
        catch (Exception e)
        {
            exclusive?.Dispose();
            if (e is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException($"{path}: cannot be used as a checkpoint folder: {e.Message} Free space or give another --output.", e);
            }
            throw;
        }
    }

    /// <summary>Whether a folder holds the finished run of this identity.</summary>
    public static bool IsFinished(string path, JsonObject identity) =>
        File.Exists(System.IO.Path.Combine(path, SummaryFile)) && File.Exists(IdentityFile(path)) && Same(IdentityFile(path), identity);

    /// <summary>Deletes what a finished run would only need to go on.</summary>
    public void DropStates()
    {
        foreach (string state in Directory.EnumerateFiles(System.IO.Path.Combine(Path, StateFolder), "*.safetensors", SearchOption.AllDirectories))
        {
            File.Delete(state);
        }
    }

    /// <summary>Lets other processes train here.</summary>
    public void Dispose() => _lock.Dispose();

    /// <summary>Tokens of a window that the model of a checkpoint folder was trained with; null if the folder does not say.</summary>
    /// <exception cref="CheckpointException">The file that says it is damaged.</exception>
    public static int? RecordedSequence(string path)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (System.IO.Path.GetFileName(path) == BestFolder && File.Exists(IdentityFile(System.IO.Path.GetDirectoryName(path)!)))
        {
            path = System.IO.Path.GetDirectoryName(path)!;
        }
        string summary = System.IO.Path.Combine(path, SummaryFile), recorded = IdentityFile(path);
        if (File.Exists(summary))
        {
            return TrainingSummary.Load(summary).Recipe.Sequence;
        }
        try
        {
            return File.Exists(recorded) ? JsonNode.Parse(File.ReadAllBytes(recorded))?["training"]?[nameof(TrainingRecipe.Sequence)]?.GetValue<int>() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException($"{recorded}: not the recipe of a run: {e.Message} Give --sequence, or remove the file.", e);
        }
    }

    private static RunFolder Open(string path, FileStream exclusive, JsonObject identity)
    {
        string? setAside = null;
        RemoveUnfinished(path);
        // A process that was killed before it wrote what run this is has left folders without files.
        if (Directory.Exists(path) && Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Any())
        {
            string recorded = IdentityFile(path);
            if (!File.Exists(recorded))
            {
                throw new CheckpointException($"{path}: is not empty and holds no training run ({StateFolder}/recipe.json is missing); give another --output, or remove it.");
            }
            if (Same(recorded, identity))
            {
                var fresh = new RunFolder(path, exclusive, RunStatus.Fresh, null);
                return File.Exists(fresh.Summary) ? new(path, exclusive, RunStatus.Finished, null)
                    : fresh.States.NewestFirst.Count > 0 ? new(path, exclusive, RunStatus.Unfinished, null) : fresh;
            }
            setAside = FreeName(path);
            Directory.Move(path, setAside);
        }
        Directory.CreateDirectory(System.IO.Path.Combine(path, StateFolder));
        AtomicFile.WriteText(IdentityFile(path), identity.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        return new(path, exclusive, RunStatus.Fresh, setAside);
    }

    // What a killed process was writing: only in folders that hold a run, or nothing else.
    private static void RemoveUnfinished(string path)
    {
        foreach (string folder in (string[])[path, System.IO.Path.Combine(path, StateFolder), System.IO.Path.Combine(path, BestFolder)])
        {
            if (Directory.Exists(System.IO.Path.Combine(path, StateFolder)) && Directory.Exists(folder))
            {
                foreach (string file in Directory.GetFiles(folder, "*.partial"))
                {
                    File.Delete(file);
                }
            }
        }
    }

    private static FileStream Lock(string path)
    {
        string file = System.IO.Path.GetFullPath(path) + ".lock";
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new FolderBusyException($"{path}: another process is training here; wait for it, or give another --output. ({e.Message})", e);
        }
    }

    private static string IdentityFile(string path) => System.IO.Path.Combine(path, StateFolder, "recipe.json");

    private static bool Same(string recorded, JsonObject identity)
    {
        try
        {
            return JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllBytes(recorded)), JsonNode.Parse(identity.ToJsonString()));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string FreeName(string path)
    {
        int number = 1;
        while (Directory.Exists($"{path}.{number}") || File.Exists($"{path}.{number}"))
        {
            number++;
        }
        return $"{path}.{number}";
    }
}
