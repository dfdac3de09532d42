using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Runtime;
using Spectre.Console;

namespace LatentMoE.Benchmarks.Checks;

/// <summary>The command <c>check</c>: packages on a device against their standard operators on the CPU.</summary>
internal static class CheckCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Command Create(IAnsiConsole console)
    {
        var models = new Option<string[]>("--model") { Description = "Folders of packages", Required = true };
        var device = new Option<string>("--device") { Description = "Where they run: cpu or cuda", DefaultValueFactory = _ => Engine.Cuda };
        device.AcceptOnlyFromAmong([.. Engine.Devices]);
        var output = new Option<string?>("--output") { Description = "JSON file of the results" };
        var command = new Command("check", "Compare packages on a device with their standard operators on the CPU") { models, device, output };
        command.SetAction(parsed =>
        {
            var where = parsed.GetValue(device) == Engine.Cuda ? Device.Cuda : Device.Cpu;
            var results = new List<ModelCheckResult>();
            foreach (string folder in parsed.GetValue(models)!)
            {
                results.Add(new ModelCheck(Path.TrimEndingDirectorySeparator(folder), where).Run());
                console.WriteLine(results[^1].ToString());
            }
            if (parsed.GetValue(output) is { } file)
            {
                File.WriteAllText(file, JsonSerializer.Serialize(results, Json) + "\n");
            }
            return results.TrueForAll(result => result.Passed) ? 0 : 1;
        });
        return command;
    }
}
