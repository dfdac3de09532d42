using System.Diagnostics;
using System.Globalization;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary>Shows a run's progress: a bar on a terminal, a plain line every few seconds where the output goes to a file.</summary>
internal sealed class TrainingDisplay : IProgress<TrainingProgress>
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly IAnsiConsole _console;
    private readonly ProgressTask? _task;
    private long _lastLine;

    private TrainingDisplay(IAnsiConsole console, ProgressTask? task) => (_console, _task) = (console, task);

    /// <summary>Runs <paramref name="train"/> with a display on the console.</summary>
    public static bool Run(IAnsiConsole console, Func<IProgress<TrainingProgress>, bool> train) =>
        !console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal
            ? train(new TrainingDisplay(console, null))
            : console.Progress()
                .AutoClear(false)
                .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
                .Start(context => train(new TrainingDisplay(console, context.AddTask("training"))));

    public void Report(TrainingProgress value)
    {
        if (_task is not null)
        {
            _task.MaxValue = Math.Max(1, value.Steps);
            _task.Value = value.Steps == 0 ? 0 : value.Result.Step;
            _task.Description = Markup.Escape(Describe(value));
        }
        else if (value.Result.Step == value.Steps || _lastLine == 0 || Stopwatch.GetElapsedTime(_lastLine) >= LineInterval)
        {
            _lastLine = Stopwatch.GetTimestamp();
            _console.WriteLine(Describe(value));
        }
    }

    internal static string Describe(TrainingProgress p)
    {
        string steps = p.Steps == 0 ? Invariant($"step {p.Result.Step}") : Invariant($"step {p.Result.Step}/{p.Steps}");
        string validation = p.ValidationLoss is double v ? Invariant($", held-out {v:0.000}") : "";
        string load = p.Result.Loads.Count == 0 ? "" : Invariant($", expert load {p.Result.Loads.Max(l => l.MaxOverMean):0.00}x mean");
        string left = p.Left is TimeSpan t ? Invariant($", {(int)t.TotalHours:0}:{t.Minutes:00}:{t.Seconds:00} left") : "";
        return Invariant($"{steps}: loss {p.Result.Loss:0.000}{validation}, {p.TokensPerSecond:N0} tokens/s ({p.FlopsFraction * 100:0}% of peak){load}{left}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
