using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Packages;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Finds the native operator library: a given path, or beside this program's own assemblies, never beside a model.</summary>
internal static class OperatorLibrary
{
    public const string FileName = "liblatentmoe_ops.so", Domain = "latentmoe";

    /// <summary>The version of the domain that the library implements.</summary>
    public const long DomainVersion = 1;

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

    /// <summary>Checks that the library knows a model's operators: ONNX Runtime does not tell it which version a model imports.</summary>
    /// <exception cref="CheckpointException">The model imports a later version, or is damaged.</exception>
    public static void CheckVersion(string model)
    {
        if (OnnxGraph.Read(model).OperatorSets.GetValueOrDefault(Domain) is > DomainVersion and var version)
        {
            throw new CheckpointException(
                $"{model}: it uses version {version} of the operators '{Domain}', and {FileName} has version {DomainVersion}. " +
                $"Update LatentMoE.Runtime, or set {nameof(LanguageModelOptions.UseOperatorLibrary)} to false to run standard operators.");
        }
    }
}
