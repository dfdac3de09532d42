using System.Globalization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// The saved states of a run, one file a step: <c>step-00000400.safetensors</c>. The newest three stay. Older ones go only once a new
/// one is whole under its name, so that neither a full disk nor a killed process leaves fewer good ones than there were.
/// </summary>
/// <param name="folder">Where they lie.</param>
public sealed class SavedStates(string folder)
{
    /// <summary>States that stay.</summary>
    public const int Kept = 3;

    private const string Prefix = "step-", Suffix = ".safetensors";

    // The one file that runs of earlier versions kept.
    private const string Former = "state" + Suffix;

    /// <summary>Paths of all states that are there, whole or not, newest first.</summary>
    public IReadOnlyList<string> NewestFirst => [.. Found().OrderByDescending(s => s.Step).Select(s => s.Path)];

    /// <summary>Path of a step's state.</summary>
    public string PathOf(int step) => Path.Combine(folder, $"{Prefix}{step.ToString("00000000", CultureInfo.InvariantCulture)}{Suffix}");

    /// <summary>Saves a step's state, then removes what is not among the newest up to it. Later ones are of no use: training went on from an earlier step.</summary>
    /// <param name="step">Steps taken.</param>
    /// <param name="write">Writes the file of the path it is given, whole or not at all.</param>
    public void Save(int step, Action<string> write)
    {
        write(PathOf(step));
        var stale = Found().Where(s => s.Step > step).Concat(Found().Where(s => s.Step <= step).OrderByDescending(s => s.Step).Skip(Kept));
        foreach (var (_, path) in stale.ToList())
        {
            File.Delete(path);
        }
    }

    /// <summary>Loads the newest state that is whole.</summary>
    /// <param name="load">Loads the file of a path, or throws.</param>
    /// <param name="say">Is told about every state that had to be passed over.</param>
    /// <returns>What <paramref name="load"/> gave.</returns>
    /// <exception cref="CheckpointException">None is whole.</exception>
    public T LoadNewest<T>(Func<string, T> load, Action<string> say)
    {
        CheckpointException? first = null;
        foreach (string path in NewestFirst)
        {
            try
            {
                var loaded = load(path);
                if (first is not null)
                {
                    say($"{first.Message} Going on from {Path.GetFileName(path)}, the state before it.");
                }
                return loaded;
            }
            catch (CheckpointException e)
            {
                first ??= e;
            }
        }
        const string Remedy = "Remove the checkpoint folder, or give another --output, to train afresh.";
        throw first is null ? new CheckpointException($"{folder}: there is no saved state. {Remedy}")
            : new CheckpointException($"{folder}: no saved state is whole, so training cannot go on: {first.Message} {Remedy}", first);
    }

    private IEnumerable<(int Step, string Path)> Found()
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Suffix))
        {
            string name = Path.GetFileName(path);
            if (name == Former)
            {
                yield return (-1, path);
            }
            else if (name.StartsWith(Prefix, StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step))
            {
                yield return (step, path);
            }
        }
    }
}
