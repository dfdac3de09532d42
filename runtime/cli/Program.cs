using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Cli;
using Microsoft.ML.OnnxRuntime;

var root = new RootCommand("Runs LatentMoE model packages.") 
{
    GenerateCommand.Create(), ChatCommand.Create(), ServeCommand.Create(), EvalCommand.Create(), InspectCommand.Create(),
};
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
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
    if (parsed.CommandResult.Command.Name is "chat" or "serve") // they deal with signals themselves
    {
        configuration.ProcessTerminationTimeout = null;
    }
    return await parsed.InvokeAsync(configuration);
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("stopped");
    return 130;
}
catch (Exception e) when (e is CheckpointException or OnnxRuntimeException or ArgumentException or NotSupportedException
    or InvalidOperationException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 1;
}
