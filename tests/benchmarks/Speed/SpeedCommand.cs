using System.CommandLine;
using System.Text.Json;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Limits;
using LatentMoE.Checkpoints;
using Spectre.Console;

namespace LatentMoE.Benchmarks.Speed;

/// <summary>The command <c>speed</c>: decode of several models over a grid of batch and context.</summary>
internal static class SpeedCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var plan = new Option<string>("--plan") { Description = "File of models and cases, as a study writes it", Required = true };
        var output = new Option<string>("--output") { Description = "File of the rows; sets that it holds already are not measured again", Required = true };
        var packages = new Option<string>("--packages") { Description = "Folder of the exported packages", DefaultValueFactory = _ => "artifacts/models/study" };
        var threads = new Option<int>("--threads") { Description = "Threads inside an operator", DefaultValueFactory = _ => 2 };
        var runs = new Option<int>("--runs") { Description = "Timings of each model at each point", DefaultValueFactory = _ => 5 };
        var steps = new Option<int>("--steps") { Description = "Steps of decode that one timing takes", DefaultValueFactory = _ => 64 };
        var command = new Command("speed", "Measure decode of several models in turns, over batch and context") { plan, output, packages, threads, runs, steps };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(output)!;
            var what = SpeedPlan.Load(parsed.GetValue(plan)!);
            var machine = Machine.This();
            string description = $"{machine.Cpu}, {machine.Cores} cores, ONNX Runtime {machine.OnnxRuntime}";
            int count = parsed.GetValue(threads);
            var known = Known(path) is { } before && (before.Machine, before.Precision, before.Threads) == (description, what.Precision, count) ? before.Rows : [];
            new SpeedRunner(what, Engine.Of(Engine.LatentMoE, null), parsed.GetValue(packages)!, count, parsed.GetValue(runs), parsed.GetValue(steps), console.WriteLine)
                .Run(known, rows => AtomicFile.WriteText(path, JsonSerializer.Serialize(new SpeedResult(description, what.Precision, count, rows), SpeedPlan.Json) + "\n"));
            console.WriteLine($"rows in {Path.GetFullPath(path)}");
        });
        return command;
    }

    private static SpeedResult? Known(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<SpeedResult>(File.ReadAllBytes(path), SpeedPlan.Json) : null;
        }
        catch (JsonException)
        {
            return null; // measured again
        }
    }
}
