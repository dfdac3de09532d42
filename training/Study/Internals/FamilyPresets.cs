using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Study;

/// <summary>The two presets of a family, whose dense twins are one and the same model.</summary>
internal sealed record FamilyPresets(Preset ParameterMatched, Preset FlopMatched)
{
    private const string FlopSuffix = "-flop";

    /// <exception cref="CheckpointException">The presets differ in more than the width of their experts.</exception>
    public static FamilyPresets Load(StudyFamily family)
    {
        var pair = new FamilyPresets(Preset.Load(family.ParameterMatched), Preset.Load(family.FlopMatched));
        if (pair.ParameterMatched.Model with { MoeIntermediateSize = pair.FlopMatched.Model.MoeIntermediateSize } != pair.FlopMatched.Model)
        {
            throw new CheckpointException($"family {family.Name}: the models of {family.ParameterMatched} and {family.FlopMatched} differ in more than moe_intermediate_size, so their dense twins are not one model.");
        }
        // How a step is cut into micro-batches changes neither its text nor its order.
        static (TrainingRecipe, int) Whole(TrainingRecipe recipe) => (recipe with { Batch = 1, Accumulation = 1 }, recipe.TokensPerStep);
        if (Whole(pair.ParameterMatched.Recipe) != Whole(pair.FlopMatched.Recipe))
        {
            throw new CheckpointException($"family {family.Name}: {family.ParameterMatched} and {family.FlopMatched} are trained differently; twins are compared with one recipe.");
        }
        return pair;
    }

    /// <summary>The preset of a group of <see cref="StudyPlan.Twins"/>.</summary>
    public Preset Of(string group)
    {
        bool flop = group.EndsWith(FlopSuffix, StringComparison.Ordinal);
        var preset = flop ? FlopMatched : ParameterMatched;
        return preset with { Model = Twin.Of(preset.Model, flop ? group[..^FlopSuffix.Length] : group, preset.Name) };
    }
}
