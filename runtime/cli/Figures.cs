using System.Globalization;
using Spectre.Console;

namespace LatentMoE.Cli;

/// <summary>Names and values: a table on a terminal, aligned lines in a pipe.</summary>
internal sealed class Figures(string title)
{
    private readonly List<(string Name, string Value)> _rows = [];

    public void Add(string name, FormattableString value) => _rows.Add((name, value.ToString(CultureInfo.InvariantCulture)));

    public void Add(string name, string value) => _rows.Add((name, value));

    public void Print()
    {
        if (!Console.IsOutputRedirected)
        {
            var table = new Table().Border(TableBorder.Rounded).HideHeaders().Title(Markup.Escape(title)).AddColumn("").AddColumn("");
            foreach (var (name, value) in _rows)
            {
                table.AddRow(new Text(name, new Style(Color.Grey)), new Text(value));
            }
            AnsiConsole.Write(table);
            return;
        }
        int width = _rows.Max(row => row.Name.Length);
        Console.Out.WriteLine(title);
        foreach (var (name, value) in _rows)
        {
            Console.Out.WriteLine($"  {name.PadRight(width)}  {value}");
        }
    }
}
