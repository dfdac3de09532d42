using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Study;

/// <summary>
/// The runs of a study. Twins of a family differ in attention and feed-forward part alone; all runs of a seed read the same text in the
/// same order with the same recipe. Ablations change one property of the FLOP-matched latent model with experts.
/// </summary>
public sealed class StudyPlan
{
    // Groups; those with experts also exist with their FLOP-matched experts.
    public const string MhaDense = Twin.MhaDense, MlaDense = Twin.MlaDense, MhaMoE = Twin.MhaMoE, MlaMoE = Twin.MlaMoE;
    public const string MhaMoEFlop = MhaMoE + "-flop", MlaMoEFlop = MlaMoE + "-flop";

    public const string NoShared = "no-shared", NoBalancing = "no-balancing";

    /// <summary>Twins in the order of reports.</summary>
    public static IReadOnlyList<string> Twins { get; } = [MhaDense, MlaDense, MhaMoE, MlaMoE, MhaMoEFlop, MlaMoEFlop];

    /// <summary>Experts in all, the shared among them, and chosen ones: always one eighth active.</summary>
    public static IReadOnlyList<(int Total, int Shared, int Chosen)> ExpertCounts { get; } = [(8, 0, 1), (16, 1, 1), (64, 2, 6), (128, 4, 12)];

    /// <summary>Ranks of the latent over the model's width.</summary>
    public static IReadOnlyList<double> RankRatios { get; } = [1, 0.5, 0.25, 0.125];

    private StudyPlan(StudyScale scale, IReadOnlyList<StudyRun> runs) => (Scale, Runs) = (scale, runs);

    public StudyScale Scale { get; }

    /// <summary>In the order of training: all twins of the first seed, then of the others, then the ablations.</summary>
    public IReadOnlyList<StudyRun> Runs { get; }

    /// <param name="scale">Families and seeds.</param>
    /// <param name="change">Applied to every recipe, such as fewer steps.</param>
    /// <exception cref="CheckpointException">Presets of a family are no pair, or no ablation can be derived from them.</exception>
    public static StudyPlan Of(StudyScale scale, Func<TrainingRecipe, TrainingRecipe>? change = null)
    {
        var runs = new List<StudyRun>();
        foreach (var family in scale.Families)
        {
            var pair = FamilyPresets.Load(family);
            for (int seed = 1; seed <= scale.Seeds; seed++)
            {
                runs.AddRange(Twins.Select(group => new StudyRun(family.Name, group, seed, pair.Of(group))));
            }
        }
        var changed = scale.Families.Single(f => f.Name == scale.Ablations);
        var baseline = FamilyPresets.Load(changed).Of(MlaMoEFlop);
        for (int seed = 1; seed <= scale.AblationSeeds; seed++)
        {
            runs.AddRange(Ablated(baseline).Select(a => new StudyRun(changed.Name, a.Group, seed, a.Preset, IsAblation: true)));
        }
        return new(scale, [.. runs.Select(run => run with { Preset = Finished(run, change) })]);
    }

    public static string RankGroup(double ratio) => string.Create(CultureInfo.InvariantCulture, $"rank-{ratio:0.###}");

    public static string ExpertsGroup(int total) => string.Create(CultureInfo.InvariantCulture, $"experts-{total}");

    private static Preset Finished(StudyRun run, Func<TrainingRecipe, TrainingRecipe>? change)
    {
        var recipe = run.Preset.Recipe with { Seed = run.Seed };
        recipe = change is null ? recipe : change(recipe);
        return run.Preset with { Name = $"{run.Family}-{run.Group}", Recipe = recipe.Validated(run.Name, run.Preset.Model.MaxPositionEmbeddings) };
    }

    private static IEnumerable<(string Group, Preset Preset)> Ablated(Preset baseline)
    {
        var model = baseline.Model;
        foreach (double ratio in RankRatios.Where(r => r * model.HiddenSize != model.KvLoraRank))
        {
            yield return (RankGroup(ratio), Changed(model with { KvLoraRank = (int)(ratio * model.HiddenSize) }));
        }
        int all = model.NRoutedExperts + model.NSharedExperts;
        foreach (var (total, shared, chosen) in ExpertCounts.Where(e => e.Total != all))
        {
            yield return (ExpertsGroup(total), Changed(model with
            {
                NRoutedExperts = total - shared,
                NSharedExperts = shared,
                NumExpertsPerTok = chosen,
                MoeIntermediateSize = model.MoeIntermediateSize * all / total,
            }));
        }
        yield return (NoShared, Changed(model with { NRoutedExperts = all, NSharedExperts = 0, NumExpertsPerTok = model.NumExpertsPerTok + model.NSharedExperts }));
        yield return (NoBalancing, baseline with { Recipe = baseline.Recipe with { BiasUpdateRate = 0 } });

        Preset Changed(ModelConfig config) => baseline with { Model = config.Validated(baseline.Name) };
    }
}
