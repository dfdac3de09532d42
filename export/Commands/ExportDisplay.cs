using Spectre.Console;

namespace LatentMoE.Export.Commands;

/// <summary>Progress as a bar on a terminal, and as one line per stage elsewhere.</summary>
internal static class ExportDisplay
{
    public static T Run<T>(IAnsiConsole console, Func<IProgress<ExportProgress>, T> work)
    {
        if (!console.Profile.Capabilities.Interactive)
        {
            return work(new Lines(console));
        }
        return console.Progress().AutoClear(true).Start(context => work(new Bars(context)));
    }

    private sealed class Lines(IAnsiConsole console) : IProgress<ExportProgress>
    {
        private string stage = "";

        public void Report(ExportProgress value)
        {
            if (value.Stage != stage)
            {
                console.WriteLine(stage = value.Stage);
            }
        }
    }

    private sealed class Bars(ProgressContext context) : IProgress<ExportProgress>
    {
        private readonly Dictionary<string, ProgressTask> tasks = [];

        public void Report(ExportProgress value)
        {
            if (!tasks.TryGetValue(value.Stage, out var task))
            {
                tasks.Add(value.Stage, task = context.AddTask(value.Stage, maxValue: 1));
            }
            task.Value = value.Fraction;
        }
    }
}
