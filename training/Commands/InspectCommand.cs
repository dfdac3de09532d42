using System.CommandLine;
using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>inspect</c>: the sizes of a preset, beside those of its dense twin, or of a checkpoint.</summary>
internal static class InspectCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var preset = CommonOptions.Preset();
        var twin = CommonOptions.Twin();
        var checkpoint = new Option<string?>("--checkpoint") { Description = "Checkpoint folder, instead of a preset" };
        var command = new Command("inspect", "Print parameters, FLOPs and cache a token of a preset or a checkpoint") { preset, twin, checkpoint };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(checkpoint) is string folder)
            {
                FigureTable.Print(console, Figures(folder, CheckpointConfig.Load(folder)));
                return 0;
            }
            Print(console, Preset.Load(parsed.GetValue(preset)!, parsed.GetValue(twin)));
            return 0;
        });
        return command;
    }

    /// <summary>Prints what <see cref="Figures"/> gives.</summary>
    public static void Print(IAnsiConsole console, Preset preset) => FigureTable.Print(console, Figures(preset));

    internal static IEnumerable<(string Name, string Value)> Figures(Preset preset) =>
        Figures(preset.Model, preset.Name).Prepend(("Preset", preset.Description.Length > 0 ? $"{preset.Name}: {preset.Description}" : preset.Name));

    internal static IEnumerable<(string Name, string Value)> Figures(string folder, CheckpointConfig config)
    {
        yield return ("Checkpoint", $"{folder}: {config.Model.ModelType}");
        foreach (var figure in Figures(config.Model, folder))
        {
            yield return figure;
        }
        if (config.Model.RopeScaling is YarnScaling yarn)
        {
            yield return ("Positions", Invariant($"YaRN, {yarn.Factor:0.###} times {yarn.OriginalMaxPositionEmbeddings:N0}"));
        }
        if (config.Quantization is BlockQuantization blocks)
        {
            yield return ("Weights", $"F8_E4M3 in blocks of {blocks.Rows} x {blocks.Columns}");
        }
        if (config.ExtraLayers > 0)
        {
            yield return ("Left out", Invariant($"{config.ExtraLayers} layer{(config.ExtraLayers == 1 ? "" : "s")} predicting further tokens"));
        }
    }

    private static IEnumerable<(string Name, string Value)> Figures(ModelConfig c, string name)
    {
        var size = ModelSize.Of(c);
        yield return ("Layers", Invariant($"{c.NumHiddenLayers} of width {c.HiddenSize}, vocabulary {c.VocabSize:N0}{(c.TieWordEmbeddings ? ", tied" : "")}, context {c.MaxPositionEmbeddings}"));
        yield return ("Attention", c.IsLatent
            ? Invariant($"latent, {c.NumAttentionHeads} heads of {c.QkNopeHeadDim} + {c.QkRopeHeadDim} rotary, values {c.VHeadDim}, latent {c.KvLoraRank}")
            : Invariant($"multi-head, {c.NumAttentionHeads} heads of {c.MultiHeadDim}, {c.NumKeyValueHeads} with keys"));
        yield return ("Feed-forward", c.IsMoE
            ? Invariant($"{c.NumExpertsPerTok} of {c.NRoutedExperts} routed and {c.NSharedExperts} shared experts of {c.MoeIntermediateSize}")
            : Invariant($"dense, {c.IntermediateSize}"));
        yield return ("Parameters", Invariant($"{size.TotalParameters:N0} in total, {size.ActiveParameters:N0} active a token"));
        yield return ("Products a token", Invariant($"{size.FlopsPerToken / 1e6:0.00} MFLOP forward, with an empty cache"));
        yield return ("Cache a token", Invariant($"{size.CacheNumbersPerToken:N0} numbers, {size.CacheNumbersPerToken * sizeof(float):N0} bytes in float32"));
        if (c.IsLatent && c.IsMoE && c.IntermediateSize > 0)
        {
            var dense = ModelSize.Of(Twin.Of(c, Twin.MhaDense, name));
            yield return ("Against mha-dense", Invariant($"{Ratio(size.TotalParameters, dense.TotalParameters)} the parameters, {Ratio(size.ActiveParameters, dense.ActiveParameters)} the active ones, {Ratio(size.FlopsPerToken, dense.FlopsPerToken)} the products, {Ratio(size.CacheNumbersPerToken, dense.CacheNumbersPerToken)} the cache"));
        }
    }

    private static string Ratio(long a, long b) => Invariant($"{(double)a / b:0.000}x");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
