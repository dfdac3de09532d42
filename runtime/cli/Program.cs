using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Cli;
using Microsoft.ML.OnnxRuntime;

var root = new RootCommand("Runs LatentMoE model packages.") { GenerateCommand.Create(), EvalCommand.Create(), InspectCommand.Create() };
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var problem in parsed.Errors)
    {
        await Console.Error.WriteLineAsync($"error: {problem.Message}");
    }
    await Console.Error.WriteLineAsync("latentmoe --help, and --help after a command, list what there is.");
    return 1;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("stopped");
    return 130;
}
catch (Exception e) when (e is CheckpointException or OnnxRuntimeException or ArgumentException or NotSupportedException
    or InvalidOperationException or IOException)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 1;
}
