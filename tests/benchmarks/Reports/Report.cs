using System.Globalization;
using System.Text;
using Spectre.Console;

namespace LatentMoE.Benchmarks.Reports;

/// <summary><c>bench.json</c>, <c>bench.md</c> and the table on the terminal: the same rows three times.</summary>
internal static class Report
{
    private const string Json = "bench.json", Markdown = "bench.md", Kept = "tests/benchmarks/results";
    private const int Operators = 6;

    /// <summary>Writes both files, and copies of them where they are to be kept.</summary>
    public static void Write(Results results, BenchOptions options)
    {
        Directory.CreateDirectory(options.Output);
        Save(Path.Combine(options.Output, Json), Path.Combine(options.Output, Markdown));
        if (options.Keep is { } name)
        {
            Directory.CreateDirectory(Kept);
            Save(Path.Combine(Kept, name + ".json"), Path.Combine(Kept, name + ".md"));
        }

        void Save(string json, string markdown)
        {
            File.WriteAllText(json, results.ToJson());
            File.WriteAllText(markdown, ToMarkdown(results));
        }
    }

    public static void Print(IAnsiConsole console, Results results)
    {
        foreach (string line in Machine(results))
        {
            console.WriteLine(line);
        }
        var table = new Table().Border(TableBorder.Minimal).AddColumns(RowTable.Columns);
        foreach (var row in RowTable.Lines(results.Rows))
        {
            table.AddRow([.. row.Select(cell => new Text(cell))]);
        }
        console.Write(table);
        foreach (string note in results.Notes)
        {
            console.WriteLine($"note: {note}");
        }
    }

    public static string ToMarkdown(Results results)
    {
        var text = new StringBuilder();
        foreach (string line in Machine(results))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        }
        text.AppendLine();
        Table(text, RowTable.Columns, RowTable.Lines(results.Rows));
        var profiled = results.Rows.Where(row => row.OperatorMicroseconds is { Count: > 0 }).ToList();
        if (profiled.Count > 0)
        {
            text.AppendLine().AppendLine("Time of one run of the session by operator type, µs, under the profiler:").AppendLine();
            Table(text, ["precision", "cache", "case", "engine", "operators"], profiled.Select(row =>
                new[] { RowTable.TypesOf(row), row.Cache ?? "", RowTable.CaseOf(row), row.Engine, Times(row.OperatorMicroseconds!) }));
        }
        if (results.Notes.Count > 0)
        {
            text.AppendLine();
            foreach (string note in results.Notes)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"- {Cell(note)}");
            }
        }
        return text.Replace("\r\n", "\n").ToString();
    }

    private static IEnumerable<string> Machine(Results results)
    {
        var (machine, limits) = (results.Machine, results.Limits);
        yield return string.Create(CultureInfo.InvariantCulture, $"{results.Date:yyyy-MM-dd}, {machine.Cpu}, {machine.Cores} cores, "
            + $"{machine.InstructionSets}; ONNX Runtime {machine.OnnxRuntime}, {machine.OperatingSystem}");
        if (limits is not null)
        {
            double memory = limits.MemoryBytesPerSecond / 1e9, cache = limits.CacheBytesPerSecond / 1e9, flops = limits.FlopsPerSecond / 1e9;
            yield return string.Create(CultureInfo.InvariantCulture, $"limits (median over the cases): {memory:0.0} GB/s from memory, "
                + $"{cache:0.0} GB/s from 16 MB, {flops:0} GFLOP/s {limits.Arithmetic}");
        }
        yield return "prefill: last logits only; decode: steps of uniform random ids from a cache of that context; median (range) of runs "
            + "taken in turn; experts: routed ones touched, over all layers; memory: growth over an empty session (over weights and cache); "
            + "load: with the files in memory";
    }

    private static void Table(StringBuilder text, IReadOnlyList<string> columns, IEnumerable<string[]> lines)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", columns)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|{string.Concat(Enumerable.Repeat("---|", columns.Count))}");
        foreach (string[] line in lines)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", line.Select(Cell))} |");
        }
    }

    private static string Cell(string text) => text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);

    private static string Times(IReadOnlyDictionary<string, double> times) => string.Join(", ",
        times.OrderByDescending(t => t.Value).Take(Operators).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Key} {t.Value:0}")));
}
