using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LatentMoE.Benchmarks.Checks;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Reports;
using LatentMoE.Benchmarks.Serving;
using LatentMoE.Benchmarks.Speed;
using Spectre.Console;

namespace LatentMoE.Benchmarks;

/// <summary>The command line: every list takes its values separated by commas.</summary>
internal static class BenchCommand
{
    private const int FileWidth = 250; // nothing wraps there

    public static RootCommand Create(IAnsiConsole console)
    {
        var defaults = new BenchOptions();
        var preset = Text("--preset", "Preset whose shape is measured, with random weights", defaults.Preset);
        var twin = Text("--twin", "Twin of the preset, e.g. mha-moe", null);
        var precision = List("--precision", "Types of the weights", defaults.Precisions);
        var activations = List("--activations", "Types of the values between operators", defaults.Activations);
        var cache = List("--cache", "Types of the cache, beside activations of f32", defaults.Caches);
        var model = Text("--model", "Folder of a package to measure instead", null);
        var prefill = Numbers("--prefill", "Tokens of a prefill", defaults.Prefill);
        var context = Numbers("--context", "Tokens in the cache before decode", defaults.Contexts);
        var batch = Numbers("--batch", "Rows of decode", defaults.Batches);
        var steps = Number("--steps", "Steps of decode that one timing takes", defaults.Steps);
        var engine = List("--engine", $"Engines, of {string.Join(", ", Engine.Names)}", defaults.Engines);
        var device = Text("--device", $"Where the engines run: {string.Join(" or ", Engine.Devices)}", defaults.Device);
        var threads = Number("--threads", "Threads inside an operator", defaults.Threads);
        var runs = Number("--runs", "Timings of each engine at each case", defaults.Runs);
        var seconds = Number("--seconds", "Timings without the operator library that would take longer take fewer steps", defaults.Seconds);
        var library = Text("--library", "Operator library to use instead of the one beside the program", null);
        var output = Text("--output", "Folder of bench.json and bench.md", defaults.Output);
        var packages = Text("--packages", "Folder of the exported packages", defaults.Packages);
        var peer = Text("--peer", "JSON file with rows of another program", null);
        var limits = Text("--limits", "JSON file of a GPU's limits, to give shares of", null);
        var keep = Text("--keep", "Name of a copy under tests/benchmarks/results", null);
        var command = new RootCommand("Measures a model's speed in ONNX Runtime, with the operator library and without.")
        {
            preset, twin, precision, activations, cache, model, prefill, context, batch, steps, engine, device, threads, runs, seconds,
            library, output, packages, peer, limits, keep,
        };
        command.Add(CheckCommand.Create(console));
        command.Add(ServingCommand.Create(console));
        command.Add(SpeedCommand.Create(console));
        command.SetAction(parsed =>
        {
            var options = new BenchOptions
            {
                Preset = parsed.GetValue(preset)!,
                Twin = parsed.GetValue(twin),
                Precisions = parsed.GetValue(precision)!,
                Activations = parsed.GetValue(activations)!,
                Caches = parsed.GetValue(cache)!,
                Model = parsed.GetValue(model),
                Prefill = parsed.GetValue(prefill)!,
                Contexts = parsed.GetValue(context)!,
                Batches = parsed.GetValue(batch)!,
                Steps = parsed.GetValue(steps),
                Engines = parsed.GetValue(engine)!,
                Device = parsed.GetValue(device)!,
                Threads = parsed.GetValue(threads),
                Runs = parsed.GetValue(runs),
                Seconds = parsed.GetValue(seconds),
                Library = parsed.GetValue(library),
                Output = parsed.GetValue(output)!,
                Packages = parsed.GetValue(packages)!,
                Peer = parsed.GetValue(peer),
                Limits = parsed.GetValue(limits),
                Keep = parsed.GetValue(keep),
            }.Validated();
            if (!console.Profile.Out.IsTerminal)
            {
                console.Profile.Width = FileWidth;
            }
            var results = new Bench(options, console.WriteLine).Run();
            Report.Print(console, results);
            console.WriteLine($"rows in {Path.GetFullPath(options.Output)}");
        });
        return command;
    }

    private static Option<string?> Text(string name, string description, string? value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<IReadOnlyList<string>> List(string name, string description, IReadOnlyList<string> values) =>
        new(name) { Description = description, DefaultValueFactory = _ => values, CustomParser = Parts };

    private static Option<IReadOnlyList<int>> Numbers(string name, string description, IReadOnlyList<int> values) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => values,
        CustomParser = result => ParseNumbers(name, result),
    };

    private static IReadOnlyList<string> Parts(ArgumentResult result) =>
    [
        .. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
    ];

    private static List<int> ParseNumbers(string name, ArgumentResult result)
    {
        var numbers = new List<int>();
        foreach (string part in Parts(result))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                result.AddError($"{name}: \"{part}\" is no whole number; expected a list like 0,1024.");
            }
            numbers.Add(number);
        }
        return numbers;
    }
}
