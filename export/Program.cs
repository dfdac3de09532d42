using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Commands;
using LatentMoE.Export.Parity;
using Spectre.Console;

var root = new RootCommand("Exports checkpoints as portable ONNX packages.") { ExportCommand.Create(AnsiConsole.Console) };
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is CheckpointException or ParityException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped; nothing was published.");
    return 130;
}
