using System.CommandLine;
using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>inspect</c>: a preset's sizes, beside those of its dense twin.</summary>
internal static class InspectCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var preset = CommonOptions.Preset();
        var twin = CommonOptions.Twin();
        var command = new Command("inspect", "Print a preset's parameters, FLOPs and cache a token") { preset, twin };
        command.SetAction(parsed =>
        {
            Print(console, Preset.Load(parsed.GetValue(preset)!, parsed.GetValue(twin)));
            return 0;
        });
        return command;
    }

    /// <summary>Prints what <see cref="Figures"/> gives.</summary>
    public static void Print(IAnsiConsole console, Preset preset) => FigureTable.Print(console, Figures(preset));

    internal static IEnumerable<(string Name, string Value)> Figures(Preset preset)
    {
        var c = preset.Model;
        var size = ModelSize.Of(c);
        yield return ("Preset", preset.Description.Length > 0 ? $"{preset.Name}: {preset.Description}" : preset.Name);
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
            var dense = ModelSize.Of(Twin.Of(c, Twin.MhaDense, preset.Name));
            yield return ("Against mha-dense", Invariant($"{Ratio(size.TotalParameters, dense.TotalParameters)} the parameters, {Ratio(size.ActiveParameters, dense.ActiveParameters)} the active ones, {Ratio(size.FlopsPerToken, dense.FlopsPerToken)} the products, {Ratio(size.CacheNumbersPerToken, dense.CacheNumbersPerToken)} the cache"));
        }
    }

    private static string Ratio(long a, long b) => Invariant($"{(double)a / b:0.000}x");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
