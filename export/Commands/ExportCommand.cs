using System.CommandLine;
using System.Globalization;
using LatentMoE.Export.Parity;
using Spectre.Console;

namespace LatentMoE.Export.Commands;

/// <summary><c>export</c>: from a checkpoint folder to a model package.</summary>
internal static class ExportCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var checkpoint = new Option<string?>("--checkpoint") { Description = "Hugging Face checkpoint folder" };
        var output = new Option<string>("--output")
        {
            Description = "Folder of the package; one that is there is replaced when the new one is whole",
            Required = true,
        };
        var precision = new Option<string?>("--precision")
        {
            Description = $"Type of the weights: {string.Join(", ", ExportOptions.Precisions)}; default that of the activations",
        };
        var activations = new Option<string>("--activations")
        {
            Description = $"Type of the values between operators and of the cache: {string.Join(", ", ExportOptions.FloatTypes)}",
            DefaultValueFactory = _ => "f32",
        };
        var cache = new Option<string?>("--cache") { Description = "Type of the cache, f32 or f16, beside activations of f32" };
        var random = new RandomOptions();
        var command = new Command("export", "Write a model package") { checkpoint, output, precision, activations, cache };
        random.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(console, new ExportOptions
        {
            Checkpoint = parsed.GetValue(checkpoint),
            Random = random.Read(parsed),
            Output = parsed.GetValue(output)!,
            Precision = parsed.GetValue(precision) ?? parsed.GetValue(activations)!,
            Activations = parsed.GetValue(activations)!,
            Cache = parsed.GetValue(cache),
        }, cancellation)));
        return command;
    }

    private static int Run(IAnsiConsole console, ExportOptions options, CancellationToken cancellation)
    {
        ExportResult result;
        try
        {
            result = ExportDisplay.Run(console, progress => Exporter.Run(options, progress, cancellation));
        }
        catch (ParityException e) when (e.Report is not null)
        {
            Print(console, e.Report);
            throw;
        }
        foreach (string line in result.Checkpoint?.Lines() ?? [])
        {
            console.WriteLine(line);
        }
        foreach (var file in result.Files)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Size,15:N0}  {file.Name}"));
        }
        if (result.Parity is null)
        {
            console.WriteLine($"warning: parity was not checked: {ParityCheck.Skipped(options)}.");
        }
        else
        {
            Print(console, result.Parity);
        }
        console.WriteLine($"package {result.Folder}");
        return 0;
    }

    private static void Print(IAnsiConsole console, ParityReport report)
    {
        var table = new Table().Border(TableBorder.Minimal).AddColumns("tensor", "mode", "against", "difference", "range", "relative");
        foreach (var line in report.Summary())
        {
            string[] cells =
            [
                line.Tensor, line.Mode, line.Against, line.Difference.ToString("0.0e+0", CultureInfo.InvariantCulture),
                line.Range.ToString("0.00", CultureInfo.InvariantCulture), line.Relative.ToString("0.0e+0", CultureInfo.InvariantCulture),
            ];
            table.AddRow([.. cells.Select(cell => new Text(cell))]);
        }
        console.Write(table);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(report.Passed ? "parity holds" : "parity FAILS")}: {report.Rows} x {report.Tokens} tokens, {report.Lines.Count} "
                + $"comparisons, limit {report.Measure.Text()} of {report.Limit:0e+0} of the range"));
        if (report is { Rounding: Rounding rounding, Choice: Choice choice })
        {
            console.WriteLine($"choice: {choice.Text()}");
            console.WriteLine($"rounding: {rounding.Text()}");
        }
    }
}
