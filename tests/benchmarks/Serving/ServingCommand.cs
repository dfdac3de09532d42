using System.CommandLine;
using System.Text.Json;
using LatentMoE.Benchmarks.Limits;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime;
using Spectre.Console;

namespace LatentMoE.Benchmarks.Serving;

/// <summary>The command <c>serving</c>: the inference engine beside the sessions that it runs on.</summary>
internal static class ServingCommand
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create(IAnsiConsole console)
    {
        var preset = new Option<string>("--preset") { Description = "Preset whose shape is measured, with random weights", DefaultValueFactory = _ => "bench-s" };
        var precision = new Option<string>("--precision") { Description = "Type of the weights", DefaultValueFactory = _ => "f32" };
        var cache = new Option<string>("--cache") { Description = "Type of the cache", DefaultValueFactory = _ => "f32" };
        var streams = new Option<int>("--streams") { Description = "Requests at the same time", DefaultValueFactory = _ => 16 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens of an answer", DefaultValueFactory = _ => 128 };
        var runs = new Option<int>("--runs") { Description = "Timings of each", DefaultValueFactory = _ => 5 };
        var threads = new Option<int>("--threads") { Description = "Threads inside an operator", DefaultValueFactory = _ => 2 };
        var keep = new Option<string?>("--keep") { Description = "Name of a copy under tests/benchmarks/results" };
        var output = new Option<string>("--output") { Description = "Folder of serving.json", DefaultValueFactory = _ => "artifacts/benchmarks" };
        var command = new Command("serving", "Measure the engine that serves many requests") { preset, precision, cache, streams, tokens, runs, threads, keep, output };
        command.SetAction(parsed =>
        {
            var options = new BenchOptions { Preset = parsed.GetValue(preset)! };
            string folder = new RandomPackages(options).Get(parsed.GetValue(precision)!, "f32", parsed.GetValue(cache)!);
            using var model = LanguageModel.Load(folder, new() { Device = Device.Cpu, Threads = parsed.GetValue(threads) });
            var result = new ServingBench(model, parsed.GetValue(streams), parsed.GetValue(tokens), parsed.GetValue(runs)).Run();
            Print(console, result);
            string json = JsonSerializer.Serialize(new
            {
                Machine = Machine.This(), Preset = options.ModelName, Precision = parsed.GetValue(precision), Cache = parsed.GetValue(cache),
                Threads = parsed.GetValue(threads), Streams = parsed.GetValue(streams), Tokens = parsed.GetValue(tokens), Runs = parsed.GetValue(runs), Result = result,
            }, Json) + "\n";
            Directory.CreateDirectory(parsed.GetValue(output)!);
            File.WriteAllText(Path.Combine(parsed.GetValue(output)!, "serving.json"), json);
            if (parsed.GetValue(keep) is { } name)
            {
                File.WriteAllText(Path.Combine("tests/benchmarks/results", $"{name}-{options.ModelName}-{parsed.GetValue(precision)}-{parsed.GetValue(streams)}-streams.json"), json);
            }
        });
        return command;
    }

    private static void Print(IAnsiConsole console, ServingResult r)
    {
        console.WriteLine($"one stream: session {r.SessionTokensPerSecond:F0} tokens/s, engine {r.EngineTokensPerSecond:F0} ({r.EngineOverSession:P1})");
        console.WriteLine($"all requests one at a time {r.OneAtATimeTokensPerSecond:F0} tokens/s, together {r.TogetherTokensPerSecond:F0} ({r.TogetherOverOneAtATime:F2}x)");
        console.WriteLine($"outside the model's runs: {r.EngineShareOfOne:P1} of the time with one stream, {r.EngineShareTogether:P1} with all, {r.EngineShareTogetherGreedy:P1} where these are greedy");
        console.WriteLine($"first token after {r.FirstTokenMilliseconds:F1} ms, with 512 tokens of it in the prefix cache {r.CachedFirstTokenMilliseconds:F1} ms ({r.FirstTokenOverCached:F1}x)");
    }
}
