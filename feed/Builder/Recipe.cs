// feed/packages.json: what the feed can build, and from which pinned inputs. Data only.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LatentMoE.Feed;

internal sealed record Recipe
{
    public required IReadOnlyDictionary<string, TarballPin> Tarballs { get; init; }
    public required IReadOnlyList<PackageFamily> Families { get; init; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <exception cref="FeedException">The file is not a recipe, or names a tarball or family that it lacks.</exception>
    public static Recipe Load(string path)
    {
        Recipe recipe;
        try
        {
            recipe = JsonSerializer.Deserialize<Recipe>(File.ReadAllText(path), Options)!;
        }
        catch (JsonException e)
        {
            throw new FeedException($"{path}: not a feed recipe: {e.Message}");
        }
        foreach (PackageFamily family in recipe.Families)
        {
            if (family.Needs is { } needed && recipe.Families.All(f => f.Name != needed))
                throw new FeedException($"{path}: family {family.Name} needs {needed}, which is not in the file");
            foreach (string tarball in family.Tarballs(withCuda: true))
                if (!recipe.Tarballs.ContainsKey(tarball))
                    throw new FeedException($"{path}: family {family.Name} takes files from {tarball}, which has no entry under tarballs");
        }
        return recipe;
    }

    public PackageFamily Family(string name) => Families.Single(f => f.Name == name);
}

/// <param name="Version">Exact version of the npm package.</param>
/// <param name="Integrity">"sha512-" and the base64 of the tarball's SHA-512, as npm publishes it.</param>
internal sealed record TarballPin(string Version, string Integrity);

/// <summary>Packages that are built together and carry one version. Present at a source or built by the feed, never half of each.</summary>
internal sealed record PackageFamily
{
    public required string Name { get; init; }
    /// <summary>What the feed makes; projects may ask for a later version, which a source carries.</summary>
    public required string Version { get; init; }

    /// <summary>The property of Directory.Packages.props that selects the version.</summary>
    public required string VersionProperty { get; init; }

    /// <summary>The id that project files reference, or $(Property), a property of Directory.Build.props that holds it.</summary>
    public required string Reference { get; init; }

    /// <summary>"repackaged vendor binaries" or "stand-in".</summary>
    public required string Origin { get; init; }

    /// <summary>A family that this one's packages depend on, to be built with it.</summary>
    public string? Needs { get; init; }

    /// <summary>What may keep a machine from loading the vendor's packages as they are.</summary>
    public UncalledSymbol? UncalledSymbol { get; init; }

    public required IReadOnlyList<PackageRecipe> Packages { get; init; }

    public IEnumerable<string> Tarballs(bool withCuda) => Packages
        .SelectMany(p => p.Files.Where(f => withCuda || !f.CudaOnly).Select(f => f.Tarball).Append(p.Assembly?.Tarball))
        .OfType<string>().Distinct();
}

/// <summary>A symbol that a vendor's native library names, with a version, but never calls.</summary>
/// <param name="Package">The vendor's package.</param>
/// <param name="File">The native library in it.</param>
/// <param name="Library">The library that has the symbol, if it is new enough.</param>
internal sealed record UncalledSymbol(string Package, string File, string Library, string Version, string Symbol);

internal sealed record PackageRecipe
{
    public required string Id { get; init; }
    public required string Description { get; init; }

    /// <summary>Id to version; an empty version is that of the same id in this feed.</summary>
    public IReadOnlyDictionary<string, string> Dependencies { get; init; } = new Dictionary<string, string>();

    public AssemblyRecipe? Assembly { get; init; }

    /// <summary>Folder of a project in the repository whose assembly goes into lib/.</summary>
    public string? Project { get; init; }

    public NativeLibraryRecipe? NativeLibrary { get; init; }
    public IReadOnlyList<PackageFile> Files { get; init; } = [];
}

/// <summary>An assembly compiled from the C# sources of a tarball.</summary>
internal sealed record AssemblyRecipe(string Name, string Tarball, string Sources, IReadOnlyList<string>? Usings);

/// <summary>A library compiled by a script of the repository, called with the output folder.</summary>
internal sealed record NativeLibraryRecipe(string Script, string File);

/// <summary>A file (or, with a trailing '/', the files of a folder) of a tarball, or of the repository where Tarball is null.</summary>
internal sealed record PackageFile(string? Tarball, string From, string To, bool CudaOnly = false);
