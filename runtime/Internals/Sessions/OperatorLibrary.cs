using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Finds the native operator library: a given path, or beside this program's own assemblies, never beside a model.</summary>
internal static class OperatorLibrary
{
    public const string FileName = "liblatentmoe_ops.so";

    /// <summary>The folders of this program, in the order of the search.</summary>
    public static IReadOnlyList<string> Folders { get; } =
    [
        .. new[] { Path.GetDirectoryName(typeof(OperatorLibrary).Assembly.Location), AppContext.BaseDirectory }
            .Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.TrimEndingDirectorySeparator(folder!)).Distinct()
            .SelectMany(folder => new[] { folder, Path.Combine(folder, "runtimes", "linux-x64", "native") }),
    ];

    /// <summary>The library's path, or null where there is none or it is not wanted.</summary>
    /// <exception cref="CheckpointException">A path was given, but no file is there.</exception>
    public static string? Find(LanguageModelOptions options, IReadOnlyList<string>? folders = null)
    {
        if (!options.UseOperatorLibrary)
        {
            return null;
        }
        if (options.OperatorLibrary is { } path)
        {
            return File.Exists(path) ? Path.GetFullPath(path)
                : throw new CheckpointException(
                    $"{path}: no such operator library. Build {FileName}, or leave the path out to run the standard operators.");
        }
        return (folders ?? Folders).Select(folder => Path.Combine(folder, FileName)).FirstOrDefault(File.Exists);
    }
}
