using System.Globalization;
using System.Net;
using System.Text;

namespace LatentMoE.Training.Reports;

/// <summary>A line of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Color">CSS colour.</param>
/// <param name="Points">In order of X; values that are not finite are left out.</param>
/// <param name="Dashed">Drawn dashed, as reference lines are.</param>
public sealed record Curve(string Name, string Color, IReadOnlyList<(double X, double Y)> Points, bool Dashed = false);

/// <summary>Curves over a common axis as an inline SVG that scales with the page.</summary>
public static class SvgChart
{
    private const double Width = 720, Height = 300, Left = 56, Right = 12, Top = 12, Bottom = 34;
    private const int MaxPoints = 600;

    /// <param name="title">Read by screen readers and shown as the figure's caption.</param>
    /// <param name="xLabel">Name of the horizontal axis.</param>
    /// <param name="curves">At least one with a finite point, or the chart is empty.</param>
    /// <param name="zeroBased">Starts the vertical axis at 0.</param>
    public static string Render(string title, string xLabel, IReadOnlyList<Curve> curves, bool zeroBased = false)
    {
        var drawn = curves.Select(c => c with { Points = Thin([.. c.Points.Where(p => double.IsFinite(p.Y))]) }).Where(c => c.Points.Count > 0).ToList();
        var svg = new StringBuilder();
        svg.Append($"<figure><svg viewBox=\"0 0 {N(Width)} {N(Height)}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");
        if (drawn.Count > 0)
        {
            var all = drawn.SelectMany(c => c.Points).ToList();
            var x = new Axis(all.Min(p => p.X), all.Max(p => p.X), Left, Width - Right);
            var y = new Axis(zeroBased ? 0 : all.Min(p => p.Y), all.Max(p => p.Y), Height - Bottom, Top);
            Grid(svg, x, y, xLabel);
            foreach (var curve in drawn)
            {
                string points = string.Join(' ', curve.Points.Select(p => $"{N(x.At(p.X))},{N(y.At(p.Y))}"));
                string dash = curve.Dashed ? " stroke-dasharray=\"6 4\"" : "";
                svg.Append($"<polyline fill=\"none\" stroke=\"{curve.Color}\" stroke-width=\"1.6\"{dash} points=\"{points}\"><title>{WebUtility.HtmlEncode(curve.Name)}</title></polyline>");
            }
        }
        svg.Append("</svg><figcaption>").Append(WebUtility.HtmlEncode(title)).Append(": ");
        svg.AppendJoin(", ", drawn.Select(c => $"<span style=\"color:{c.Color}\">{(c.Dashed ? "╌" : "━")} {WebUtility.HtmlEncode(c.Name)}</span>"));
        return svg.Append("</figcaption></figure>\n").ToString();
    }

    private static void Grid(StringBuilder svg, Axis x, Axis y, string xLabel)
    {
        foreach (double value in y.Ticks())
        {
            svg.Append($"<line class=\"grid\" x1=\"{N(Left)}\" x2=\"{N(Width - Right)}\" y1=\"{N(y.At(value))}\" y2=\"{N(y.At(value))}\"/>");
            svg.Append($"<text x=\"{N(Left - 6)}\" y=\"{N(y.At(value) + 4)}\" text-anchor=\"end\">{Label(value)}</text>");
        }
        foreach (double value in x.Ticks())
        {
            svg.Append($"<text x=\"{N(x.At(value))}\" y=\"{N(Height - Bottom + 16)}\" text-anchor=\"middle\">{Label(value)}</text>");
        }
        svg.Append($"<text x=\"{N((Left + Width - Right) / 2)}\" y=\"{N(Height - 2)}\" text-anchor=\"middle\">{WebUtility.HtmlEncode(xLabel)}</text>");
    }

    // Means of equal runs of points: a long run stays a small page.
    private static List<(double X, double Y)> Thin(List<(double X, double Y)> points)
    {
        if (points.Count <= MaxPoints)
        {
            return points;
        }
        int size = (points.Count + MaxPoints - 1) / MaxPoints;
        return [.. points.Chunk(size).Select(run => (run.Average(p => p.X), run.Average(p => p.Y)))];
    }

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Label(double value) => value == 0 ? "0" : Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k",
        < 1e-2 => value.ToString("0.##e0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private sealed class Axis(double low, double high, double from, double to)
    {
        private readonly double _span = high > low ? high - low : 1;

        public double At(double value) => from + (value - low) / _span * (to - from);

        // Round values, four to eight of them.
        public IEnumerable<double> Ticks()
        {
            double power = Math.Pow(10, Math.Floor(Math.Log10(_span / 4)));
            double step = new[] { 1, 2, 5, 10 }.Select(m => m * power).First(s => _span / s <= 8);
            for (double value = Math.Ceiling(low / step) * step; value <= low + _span * 1.0001; value += step)
            {
                yield return Math.Abs(value) < step / 1e6 ? 0 : value;
            }
        }
    }
}
