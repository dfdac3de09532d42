using System.Text.RegularExpressions;
using System.Xml.Linq;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Baselines;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Reports;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Reports;

public partial class HtmlReportTests
{
    private static readonly TrainingSummary Summary = new()
    {
        Preset = "tiny",
        Description = "A <small> model & more.",
        Model = ModelSize.Of(Models.Latent),
        Corpus = new("Some text.", "abc", 1000, 4000, 50, 200),
        Recipe = new TrainingRecipe(),
        Steps = 3,
        TokensSeen = 6144,
        Epochs = 6.1,
        Device = "cpu",
        TokensPerSecond = 1234,
        FlopsFraction = 0.5,
        Evaluation = new EvaluationResult(2.0, 0.9, 40),
        Baselines = new NgramLosses(4.0, 2.5),
        Sample = "Once <upon> a time",
    };

    private static readonly MetricsRow[] Rows =
    [
        .. Enumerable.Range(1, 3).Select(i => new MetricsRow
        {
            Step = i, Tokens = i * 2048, Loss = 5.0 - i, LearningRate = 1e-3 * i, GradNorm = 1, TokensPerSecond = 1000,
            Layers = [0, 1], MaxLoad = [2.0 / i, 1.1], LoadEntropy = [0.9, 1.0], DeadExperts = [1, 0],
        }),
        new MetricsRow { Step = 3, Tokens = 6144, ValidationLoss = 2.1 },
    ];

    [Fact]
    public void Render_HasItsCurves()
    {
        string html = HtmlReport.Render(Summary, Rows);
        foreach (string curve in new[] { "training", "held-out", "bigram", "trigram", "learning rate", "gradient norm", "layer 0", "layer 1", "tokens a second" })
        {
            Assert.Contains($"<title>{curve}</title></polyline>", html);
        }
        // held-out is a single point; training has three
        Assert.Equal([3, 1, 2, 2], Polylines().Matches(html).Take(4).Select(m => m.Groups[1].Value.Split(' ').Length));
    }

    [Fact]
    public void Render_StandsAlone()
    {
        string html = HtmlReport.Render(Summary, Rows);
        Assert.DoesNotMatch("(?i)(src|href)=|https?://|@import|<script", html);
        Assert.Contains("name=\"viewport\"", html);
        Assert.Contains("A &lt;small&gt; model &amp; more.", html);
        Assert.Contains("Once &lt;upon&gt; a time", html);
        XDocument.Parse(html[html.IndexOf("<body>", StringComparison.Ordinal)..html.IndexOf("</html>", StringComparison.Ordinal)]);
    }

    [Fact]
    public void Render_ADenseRunHasNoLoads()
    {
        var dense = Rows.Select(r => r with { Layers = r.Layers is null ? null : [], MaxLoad = [], LoadEntropy = [], DeadExperts = [] }).ToList();
        Assert.DoesNotContain("Expert load", HtmlReport.Render(Summary with { Evaluation = null, Baselines = null, Sample = null }, dense));
    }

    [Fact]
    public void Figures_CompareWithTheBaselines()
    {
        var figures = Summary.Figures().ToDictionary(f => f.Name, f => f.Value);
        Assert.Equal("2.0000 nats a token, perplexity 7.39, 0.9000 bits a byte", figures["Held-out loss"]);
        Assert.EndsWith("ours is 50.0% lower", figures["Bigram model, same tokens"]);
        Assert.EndsWith("ours is 20.0% lower", figures["Trigram model, same tokens"]);
        Assert.Equal("25.0% higher", Summary.Evaluation!.Against(1.6));
    }

    [Fact]
    public void Summary_SurvivesItsFile()
    {
        string path = Path.Combine(Path.GetTempPath(), $"latentmoe-{Guid.NewGuid():N}.json");
        try
        {
            Summary.Save(path);
            Assert.Equal(Summary, TrainingSummary.Load(path));
            File.WriteAllText(path, "{}");
            Assert.Contains(path, Assert.Throws<CheckpointException>(() => TrainingSummary.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [GeneratedRegex("<polyline [^>]*points=\"([^\"]*)\"")]
    private static partial Regex Polylines();
}
