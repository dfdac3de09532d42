using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary>Names and values, one a line; a table on a terminal.</summary>
internal static class FigureTable
{
    public static void Print(IAnsiConsole console, IEnumerable<(string Name, string Value)> figures)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            foreach (var (name, value) in figures)
            {
                console.WriteLine($"{name}: {value}");
            }
            return;
        }
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumn("").AddColumn("");
        foreach (var (name, value) in figures)
        {
            table.AddRow(Markup.Escape(name), Markup.Escape(value));
        }
        console.Write(table);
    }
}
