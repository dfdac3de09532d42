using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Commands;
using LatentMoE.Training.Trainer;
using Spectre.Console;

OpenMpSpinning.Limit();
NativeAllocation.Keep();
var console = AnsiConsole.Console;
if (!console.Profile.Out.IsTerminal)
{
    console.Profile.Width = 10_000; // lines of a file are not to be broken
}
var root = new RootCommand("Trains small Mixture-of-Experts language models with latent attention.")
{
    TrainCommand.Create(console),
    InspectCommand.Create(console),
    EvaluateCommand.Create(console),
    StudyCommand.Create(console),
    BenchCommand.Create(console),
    BenchTokenizerCommand.Create(console),
};
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is CheckpointException or NonFiniteException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {e.Message} Free space, or choose a place that can be written.");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped before training began; nothing was written.");
    return 130;
}
