using LatentMoE.Benchmarks.Reports;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Tests.Reports;

public class ReportTests
{
    [Fact]
    public void Lines_CompareWithBodiesAndPeerOfTheSameCase()
    {
        Row[] rows = [Rows.Of("latentmoe", 600), Rows.Of("bodies", 50), Rows.Of("bodies", 300, batch: 4), Rows.Peer(200)];
        string[][] lines = [.. RowTable.Lines(rows)];
        string[] expected =
        [
            "bench-m", "int8", "f16", "decode at 1024, batch 1", "latentmoe", "600", "590–610", "1667", "12.00", "3.00", "33.5", "75%", "25%",
            "490/496", "71", "150 (1.20x)", "80", "shared 1152", "128",
        ];
        Assert.Equal(expected, lines[0]);
        Assert.Equal(["50.0", "40.0–60.0", "20000", "", "0.25"], lines[1][5..10]);
        Assert.Equal(["", ""], lines[2][8..10]);
        Assert.Equal(["llama.cpp", "200", "", "", "", "", ""], lines[3][4..11]);
    }

    [Fact]
    public void ToMarkdown_HoldsMachineTableProfileAndNotes()
    {
        string text = Report.ToMarkdown(Rows.Results(Rows.Of("latentmoe", 600)));
        Assert.Contains("Some CPU, 2 cores, avx2; ONNX Runtime 1.29.0", text, StringComparison.Ordinal);
        Assert.Contains("20.0 GB/s from memory, 45.0 GB/s from 16 MB, 250 GFLOP/s", text, StringComparison.Ordinal);
        Assert.Contains("MoEExpertsInt8 600, LinearInt8 400", text, StringComparison.Ordinal);
        Assert.Contains("- bodies \\| cannot", text, StringComparison.Ordinal);
        string[] lines = text.Split('\n');
        int columns = lines.First(line => line.StartsWith("|---", StringComparison.Ordinal)).Count(c => c == '|');
        Assert.Equal(columns, lines.Single(line => line.StartsWith("| bench-m", StringComparison.Ordinal)).Count(c => c == '|'));
    }

    [Fact]
    public void Json_RoundTripsAndNamesTheFields()
    {
        var results = Rows.Results(Rows.Of("latentmoe", 600), Rows.Peer(200));
        string json = results.ToJson();
        string[] fields =
        [
            "\"tokens_per_second\": 600", "\"distinct_experts\": 490", "\"bandwidth_share\": 0.75", "\"memory_bytes\"", "\"load_milliseconds\": 80",
        ];
        Assert.All(fields, field => Assert.Contains(field, json, StringComparison.Ordinal));
        Assert.Equal(json, Results.FromJson(json).ToJson());
    }

    [Fact]
    public void ReadPeer_TakesListOrObject()
    {
        const string row = """
            "preset":"bench-m","precision":"int8","engine":"llama.cpp","phase":"decode","context":0,"batch":1,"threads":2,"tokens_per_second":237.5
            """;
        Assert.Equal(237.5, Read($"[{{{row}}}]").Single().TokensPerSecond);
        Assert.Equal("llama.cpp", Read($$"""{ "rows": [{ {{row}} }] }""").Single().Engine);
        var ranged = Read($$"""[{ {{row}}, "cache": "f16", "runs": [230, 240, 237.5] }]""").Single();
        Assert.Equal((3, 230, 240, "f16"), (ranged.Runs, ranged.Minimum, ranged.Maximum, ranged.Cache));
    }

    [Theory]
    [InlineData("[{}]")]
    [InlineData("[null]")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    public void ReadPeer_RefusesWhatHoldsNoRows(string text)
    {
        var error = Assert.Throws<CheckpointException>(() => Read(text));
        Assert.Contains("not a list of rows", error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Row> Read(string text)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            return Results.ReadPeer(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
