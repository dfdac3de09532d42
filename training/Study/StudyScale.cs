using System.Text.Json;
using System.Text.Json.Serialization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Study;

/// <summary>A size at which the four twins are compared, both ways that the paper compares them.</summary>
/// <param name="Name">In names of runs.</param>
/// <param name="ParameterMatched">Preset whose experts together hold what the dense feed-forward part holds.</param>
/// <param name="FlopMatched">Preset whose active experts do the work of the dense feed-forward part.</param>
public sealed record StudyFamily(string Name, string ParameterMatched, string FlopMatched);

/// <summary>Where decoding is measured in the exported runtime.</summary>
/// <param name="Precision">Of the packages.</param>
/// <param name="Batches">Rows.</param>
/// <param name="Contexts">Tokens in the cache before the first step.</param>
/// <param name="Shapes">Sizes measured with random weights beside the trained models: speed does not depend on the weights.</param>
public sealed record SpeedScale(string Precision, IReadOnlyList<int> Batches, IReadOnlyList<int> Contexts, IReadOnlyList<StudyFamily> Shapes);

/// <summary>How large a study is: a JSON file each, in <c>Study/scales</c>.</summary>
public sealed record StudyScale
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    [JsonIgnore] public string Name { get; init; } = "";

    public required string Description { get; init; }

    /// <summary>Whether the families are the paper's own: only then is a verdict one on the paper's claim itself.</summary>
    public required bool PaperSizes { get; init; }

    public required IReadOnlyList<StudyFamily> Families { get; init; }

    /// <summary>Name of the family whose FLOP-matched preset the ablations change.</summary>
    public required string Ablations { get; init; }

    /// <summary>Seeds of each twin: of the weights and of the order of the text, the same for all twins.</summary>
    public required int Seeds { get; init; }

    public required int AblationSeeds { get; init; }

    public required SpeedScale Speed { get; init; }

    /// <summary>Folder of the scales that come with the program.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Study", "scales");

    /// <summary>Names of the scales that come with the program.</summary>
    public static IReadOnlyList<string> Known =>
        [.. Directory.EnumerateFiles(Folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    /// <summary>Reads a scale.</summary>
    /// <param name="nameOrPath">One of <see cref="Known"/>, or a path to a JSON file.</param>
    /// <exception cref="CheckpointException">There is no such scale, or its file is not one.</exception>
    public static StudyScale Load(string nameOrPath)
    {
        bool isPath = nameOrPath.EndsWith(".json", StringComparison.Ordinal);
        string file = isPath ? nameOrPath : Path.Combine(Folder, nameOrPath + ".json");
        if (!File.Exists(file))
        {
            throw new CheckpointException(isPath ? $"{file}: no such file."
                : $"scale \"{nameOrPath}\" is unknown; expected one of {string.Join(", ", Known)}, or a path to a JSON file.");
        }
        try
        {
            var scale = JsonSerializer.Deserialize<StudyScale>(File.ReadAllBytes(file), Options) ?? throw new JsonException("null");
            return (scale with { Name = Path.GetFileNameWithoutExtension(file) }).Validated(file);
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: not the JSON of a scale: {e.Message}", e);
        }
    }

    /// <summary>This scale, if it makes sense; <paramref name="file"/> names its origin in the error.</summary>
    /// <exception cref="CheckpointException">A value is impossible alone or beside another.</exception>
    public StudyScale Validated(string file)
    {
        void Need(bool ok, string what)
        {
            if (!ok)
            {
                throw new CheckpointException($"{file}: {what}");
            }
        }
        Need(Families.Count > 0, "families is empty; expected at least one.");
        Need(Families.Select(f => f.Name).Distinct().Count() == Families.Count, "families holds a name twice.");
        Need(Families.Any(f => f.Name == Ablations), $"ablations is \"{Ablations}\"; expected the name of a family: {string.Join(", ", Families.Select(f => f.Name))}.");
        Need(Seeds is > 0 and <= 100, $"seeds is {Seeds}; expected 1 to 100.");
        Need(AblationSeeds > 0 && AblationSeeds <= Seeds, $"ablation_seeds is {AblationSeeds}; expected 1 to seeds ({Seeds}): an ablation is compared with the twin of its seed.");
        Need(Speed.Batches.Count > 0 && Speed.Batches.All(b => b > 0), "speed.batches holds no number of rows of at least 1.");
        Need(Speed.Contexts.Count > 0 && Speed.Contexts.All(c => c >= 0), "speed.contexts holds no number of tokens of at least 0.");
        return this;
    }
}
