// What building packages needs of the machine beside the .NET SDK. Root on Debian or Ubuntu gets it installed, anyone else the command.
namespace LatentMoE.Feed;

/// <param name="Name">What it is, in words.</param>
/// <param name="DebianPackage">The package that brings it.</param>
/// <param name="Present">Whether the machine has it.</param>
internal sealed record Prerequisite(string Name, string DebianPackage, Func<bool> Present);

internal static class Prerequisites
{
    private const string MultiArch = "/usr/lib/x86_64-linux-gnu";

    private static string? Libtorch => Environment.GetEnvironmentVariable("LIBTORCH") is { Length: > 0 } root ? root : null;

    public static readonly Prerequisite Npm = new("npm", "npm", () => OnPath("npm"));
    private static readonly Prerequisite Compiler = new("a C++ compiler", "g++", () => OnPath("g++"));

    private static readonly Prerequisite LibtorchHeaders = new("libtorch with its headers", "libtorch-dev",
        () => LibtorchVersion() is not null);

    // The OpenMP flavour: libtorch's own threads and OpenBLAS's are then one pool.
    private static readonly Prerequisite OpenBlas = new("OpenBLAS", "libopenblas0-openmp",
        () => File.Exists($"{MultiArch}/openblas-openmp/libblas.so.3"));

    /// <summary>What building these families takes. A libtorch named by LIBTORCH brings its own BLAS.</summary>
    public static IReadOnlyList<Prerequisite> Of(IEnumerable<PackageFamily> families, bool cuda)
    {
        List<Prerequisite> needed = [];
        foreach (PackageFamily family in families)
        {
            if (family.Tarballs(cuda).Any())
                needed.Add(Npm);
            if (family.Packages.Any(p => p.NativeLibrary is not null))
                needed.AddRange(Libtorch is null ? [Compiler, LibtorchHeaders, OpenBlas] : [Compiler, LibtorchHeaders]);
        }
        return [.. needed.Distinct()];
    }

    /// <summary>The text that tells libtorch versions apart; null where there is none.</summary>
    public static string? LibtorchVersion()
    {
        string include = Libtorch is { } root ? $"{root}/include" : "/usr/include";
        string header = $"{include}/torch/csrc/api/include/torch/version.h";
        if (!File.Exists(header))
            return null;
        IEnumerable<string> numbers = File.ReadLines(header).Where(l => l.StartsWith("#define TORCH_VERSION", StringComparison.Ordinal));
        return $"{Libtorch} {string.Join(';', numbers)}";
    }

    /// <summary>Returns when all are present.</summary>
    /// <exception cref="FeedException">Something is missing and may not be installed from here: the message has the command.</exception>
    public static void Ensure(IReadOnlyList<Prerequisite> needed, bool mayInstall)
    {
        List<Prerequisite> missing = [.. needed.Where(p => !p.Present())];
        if (missing.Count == 0)
            return;
        string names = string.Join(", ", missing.Select(p => p.Name));
        string[] packages = [.. missing.Select(p => p.DebianPackage)];
        if (Libtorch is { } root && missing.Contains(LibtorchHeaders))
            throw new FeedException($"LIBTORCH={root} has no include/torch/csrc/api/include/torch/version.h: "
                + "it must name the root of an unpacked libtorch distribution; unset it to use the system's libtorch-dev");
        if (!mayInstall)
            throw new FeedException($"""
                missing on this machine: {names}. On Debian and Ubuntu:
                  sudo apt-get update && sudo apt-get install -y --no-install-recommends {string.Join(' ', packages)}
                """);

        Console.WriteLine($"Installing with apt-get: {string.Join(", ", packages)}");
        (string, string) quiet = ("DEBIAN_FRONTEND", "noninteractive");
        Command.Run("apt-get update", "apt-get", ["update"], "/", echo: true, quiet);
        Command.Run("apt-get install", "apt-get", ["install", "-y", "--no-install-recommends", .. packages], "/", echo: true, quiet);
        if (missing.Where(p => !p.Present()).Select(p => p.DebianPackage).ToArray() is { Length: > 0 } still)
            throw new FeedException($"apt-get installed {string.Join(", ", still)}, but they are not where they were looked for");
    }

    public static bool MayInstall => Environment.UserName == "root" && OnPath("apt-get");

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
}
