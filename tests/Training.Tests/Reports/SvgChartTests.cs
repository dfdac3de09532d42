using System.Globalization;
using System.Xml.Linq;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Tests.Reports;

public class SvgChartTests
{
    private static (double X, double Y)[] Points(string html, int curve) =>
        [.. ((string)XDocument.Parse(html).Descendants("polyline").ElementAt(curve).Attribute("points")!).Split(' ')
            .Select(p => p.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray()).Select(p => (p[0], p[1]))];

    [Fact]
    public void Render_DrawsCurvesToScale()
    {
        string html = SvgChart.Render("Loss", "step", [new("a", "red", [(0, 10), (50, 20), (100, 10)]), new("b", "blue", [(0, 0), (100, 20)], Dashed: true)]);
        var a = Points(html, 0);
        var b = Points(html, 1);
        Assert.Equal(a[0].Y, a[2].Y);
        Assert.True(a[1].Y < a[0].Y, "larger values are higher up, where y is smaller");
        Assert.Equal((a[0].X + a[2].X) / 2, a[1].X, 0.02);
        Assert.Equal((b[0].Y + b[1].Y) / 2, a[0].Y, 0.02);
        Assert.NotNull(XDocument.Parse(html).Descendants("polyline").ElementAt(1).Attribute("stroke-dasharray"));
    }

    [Fact]
    public void Render_LeavesOutWhatIsNotFinite()
    {
        string html = SvgChart.Render("Loss", "step", [new("a", "red", [(0, 1), (1, double.NaN), (2, double.PositiveInfinity), (3, 2)])]);
        Assert.Equal(2, Points(html, 0).Length);
    }

    [Fact]
    public void Render_ThinsLongCurves()
    {
        string html = SvgChart.Render("Loss", "step", [new("a", "red", [.. Enumerable.Range(0, 100_000).Select(i => ((double)i, Math.Sin(i)))])]);
        Assert.InRange(Points(html, 0).Length, 300, 600);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1e-9, 1e-9)]
    [InlineData(-5, 1e12)]
    public void Render_ExtremesStillGiveAChart(double low, double high)
    {
        string html = SvgChart.Render("<Loss & co>", "step", [new("a<b", "red", [(0, low), (1, high)])]);
        Assert.All(Points(html, 0), p => Assert.True(double.IsFinite(p.X) && double.IsFinite(p.Y)));
        Assert.True(XDocument.Parse(html).Descendants("text").Count() < 40);
    }

    [Fact]
    public void Render_EmptyIsAnEmptyFigure() => Assert.Empty(XDocument.Parse(SvgChart.Render("Loss", "step", [new("a", "red", [])])).Descendants("polyline"));
}
