using System.CommandLine;
using LatentMoE.Benchmarks;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Checkpoints;
using Spectre.Console;

if (args is ["worker"])
{
    return Worker.Serve(Console.In, Console.Out);
}
try
{
    return await BenchCommand.Create(AnsiConsole.Console).Parse(args)
        .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is CheckpointException or ArgumentException or IOException or NotSupportedException or WorkerException)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 1;
}
