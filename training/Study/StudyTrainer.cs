using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Study;

/// <summary>Trains the runs of a plan one after the other, each in a folder of its own; what is finished is not done again.</summary>
public sealed class StudyTrainer : IDisposable
{
    private readonly StudyPlan _plan;
    private readonly StudyFolder _folder;
    private readonly string _device;
    private readonly Dictionary<int, PreparedCorpus> _corpora = [];

    /// <summary>Prepares the text; with the tokenizer of each vocabulary that the plan asks for.</summary>
    public StudyTrainer(StudyPlan plan, StudyFolder folder, string? data, string cache, string device, IProgress<string> progress, CancellationToken stop)
    {
        (_plan, _folder, _device) = (plan, folder, device);
        foreach (var model in plan.Runs.Select(r => r.Preset.Model).DistinctBy(m => m.VocabSize))
        {
            var options = new CorpusOptions { DataPath = data, VocabularySize = model.VocabSize, ModelMaxLength = model.MaxPositionEmbeddings };
            _corpora[model.VocabSize] = PreparedCorpus.Prepare(options, cache, progress, stop);
        }
    }

    /// <summary>What is trained on, for people.</summary>
    public string Text => _corpora.Values.First().Description;

    /// <summary>The preset of a run as it is trained: with the vocabulary that the text has.</summary>
    public Preset PresetOf(StudyRun run) => TrainingRun.ForCorpus(run.Preset, _corpora[run.Preset.Model.VocabSize]);

    /// <summary>Whether a run is finished with this very recipe and text.</summary>
    public bool IsFinished(StudyRun run) => RunFolder.IsFinished(_folder.Run(run), TrainingRun.Identity(PresetOf(run), _corpora[run.Preset.Model.VocabSize]));

    /// <summary>The rows of the finished runs, in the plan's order.</summary>
    public IReadOnlyList<StudyRow> Rows() => [.. _plan.Runs.Where(IsFinished).Select(run => StudyRow.Of(run, _folder.Run(run)))];

    /// <summary>Trains a run to its end, or until <paramref name="stop"/> asks to stop. False if that came first; the run goes on from there next time.</summary>
    /// <param name="display">Runs the training with a display.</param>
    /// <exception cref="FolderBusyException">Another process trains it.</exception>
    public bool Train(StudyRun run, Func<Func<IProgress<TrainingProgress>, bool>, bool> display, CancellationToken stop)
    {
        var corpus = _corpora[run.Preset.Model.VocabSize];
        var preset = PresetOf(run);
        string path = _folder.Run(run);
        using var folder = RunFolder.Open(path, TrainingRun.Identity(preset, corpus));
        if (folder.Status == RunStatus.Finished)
        {
            return true;
        }
        using var training = new TrainingRun(preset, corpus, folder, ComputeDevice.Choose(_device, preset.Recipe.Dtype));
        if (!display(progress => training.Train(progress, stop)))
        {
            return false;
        }
        training.Publish();
        training.Finish(Path.Combine(path, "report.html"), baselines: false);
        folder.DropStates();
        return true;
    }

    public void Dispose()
    {
        foreach (var corpus in _corpora.Values)
        {
            corpus.Dispose();
        }
    }
}
