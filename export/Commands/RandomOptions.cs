using System.CommandLine;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Commands;

/// <summary>The options of a package without a checkpoint.</summary>
internal sealed class RandomOptions
{
    private readonly Option<bool> random = new("--random-weights") { Description = "Make up the weights of a preset, for benchmarks" };
    private readonly Option<string?> preset = new("--preset") { Description = "With --random-weights: name of a preset, or a path to its JSON file" };
    private readonly Option<string?> twin = new("--twin") { Description = $"With --random-weights: {string.Join(", ", Twin.Names)}" };
    private readonly Option<int?> seed = new("--seed") { Description = "With --random-weights: equal seeds give equal weights; default 1" };

    public void AddTo(Command command)
    {
        command.Options.Add(random);
        command.Options.Add(preset);
        command.Options.Add(twin);
        command.Options.Add(seed);
    }

    /// <summary>Null for a package of a checkpoint.</summary>
    /// <exception cref="CheckpointException">The options contradict each other, or there is no such preset.</exception>
    public RandomModel? Read(ParseResult parsed)
    {
        string? name = parsed.GetValue(preset);
        if (!parsed.GetValue(random))
        {
            return name is null && parsed.GetValue(twin) is null && parsed.GetValue(seed) is null ? null
                : throw new CheckpointException("--preset, --twin and --seed belong to --random-weights; a checkpoint is what it is.");
        }
        var file = PresetFile.Load(name ?? throw new CheckpointException("--random-weights makes up a preset's weights: give its name or file "
            + "with --preset."), parsed.GetValue(twin));
        return new(file.Name, file.Model, parsed.GetValue(seed) ?? 1);
    }
}
