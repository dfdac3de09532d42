using System.Net;
using System.Text;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>Sections as Markdown, and as one HTML page without outside parts.</summary>
internal static class ReportText
{
    private const string Style = """
        :root { color-scheme: light dark }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem }
        figure { margin: 1.5rem 0 } svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
        .grid { stroke: currentColor; stroke-opacity: .15 } figcaption { font-size: .9rem }
        .table { overflow-x: auto } table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem }
        td, th { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top }
        """;

    public static string Markdown(string title, IEnumerable<ReportSection> sections)
    {
        var text = new StringBuilder($"# {title}\n");
        foreach (var section in sections)
        {
            text.Append(section.Heading.Length > 0 ? $"\n## {section.Heading}\n" : "");
            foreach (string sentence in section.Sentences)
            {
                text.Append($"\n{sentence}\n");
            }
            foreach (var table in section.Tables)
            {
                text.Append('\n').Append(Line(table.Headers)).Append(Line(table.Headers.Select(_ => "---")));
                foreach (var row in table.Rows)
                {
                    text.Append(Line(row));
                }
            }
        }
        return text.ToString();
    }

    public static string Html(string title, IEnumerable<ReportSection> sections)
    {
        var html = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            + $"<title>{Encode(title)}</title><style>\n{Style}\n</style></head><body>\n<h1>{Encode(title)}</h1>\n");
        foreach (var section in sections)
        {
            html.Append(section.Heading.Length > 0 ? $"<h2>{Encode(section.Heading)}</h2>\n" : "");
            html.AppendJoin("", section.Sentences.Select(s => $"<p>{Encode(s)}</p>\n"));
            foreach (var table in section.Tables)
            {
                html.Append("<div class=\"table\"><table><thead><tr>").AppendJoin("", table.Headers.Select(h => $"<th>{Encode(h)}</th>")).Append("</tr></thead><tbody>\n");
                foreach (var row in table.Rows)
                {
                    html.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Encode(cell)}</td>")).Append("</tr>\n");
                }
                html.Append("</tbody></table></div>\n");
            }
            html.AppendJoin("", section.Charts.Select(c => SvgChart.Render(c.Title, c.XLabel, c.Curves)));
        }
        return html.Append("</body></html>\n").ToString();
    }

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
