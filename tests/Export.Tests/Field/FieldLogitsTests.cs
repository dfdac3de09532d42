using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support.Field;
using Xunit.Abstractions;

namespace LatentMoE.Export.Tests.Field;

/// <summary>
/// Packages of checkpoints in the field's form, run by ONNX Runtime and compared with <see cref="DeepSeekReference"/>, which shares no
/// code with what made them.
/// </summary>
public sealed class FieldLogitsTests(ITestOutputHelper output)
{
    private const double Limit = 5e-6;
    private const int Tokens = 40;

    public static TheoryData<string> Forms => [.. FieldFolder.Forms.Keys];

    [Theory, MemberData(nameof(Forms))]
    public void Run_EveryForm_GivesTheLogitsOfTheReference(string form) => Check(form, operators: null);

    [OperatorsTheory, MemberData(nameof(Forms))]
    public void Run_EveryFormWithOperators_GivesTheLogitsOfTheReference(string form) => Check(form, BuiltOperators.Path);

    [Theory]
    [InlineData("v2-lite", "int8")]
    [InlineData("v2-lite", "int4")]
    [InlineData("plain", "int4")]
    [InlineData("v2", "bf16")]
    public void Run_Rounded_GivesTheLogitsOfItsOwnNumbers(string form, string precision) => CheckRounded(form, precision, operators: null);

    [OperatorsTheory]
    [InlineData("v2-lite", "int8")]
    [InlineData("plain", "int4")]
    public void Run_RoundedWithOperators_GivesTheLogitsOfItsOwnNumbers(string form, string precision) => CheckRounded(form, precision, BuiltOperators.Path);

    // What a mistake in reading a key would compute is far from what the package computes.
    [Theory]
    [InlineData("v2-lite", "rope_scaling.mscale_all_dim", "0.0")]
    [InlineData("v2-lite", "rope_scaling.mscale", "1.0")]
    [InlineData("v2-lite", "rope_scaling.factor", "1.0")]
    [InlineData("v2-lite", "rope_scaling.beta_slow", "4")]
    [InlineData("v2-lite", "rope_scaling.original_max_position_embeddings", "4096")]
    [InlineData("v2-lite", "rope_interleave", "false")]
    [InlineData("v2-lite", "norm_topk_prob", "true")]
    [InlineData("v2-lite", "scoring_func", "\"sigmoid\"")]
    [InlineData("v2", "topk_method", "\"greedy\"")]
    [InlineData("v2", "routed_scaling_factor", "1.0")]
    [InlineData("v2", "topk_group", "1")]
    [InlineData("v3", "topk_method", "\"group_limited_greedy\"")]
    [InlineData("v3", "norm_topk_prob", "false")]
    [InlineData("v3", "rope_scaling.mscale_all_dim", "0.707")]
    [InlineData("v3", "rope_scaling", "null")]
    [InlineData("v3", "routed_scaling_factor", "2.4")]
    [InlineData("tied", "rope_interleave", "true")]
    [InlineData("tied", "rms_norm_eps", "1e-06")]
    [InlineData("tied", "rope_parameters.rope_theta", "10000.0")]
    [InlineData("tied", "rope_parameters.mscale", "0.5")]
    [InlineData("plain", "rope_theta", "10000.0")]
    public void Reference_OfAnotherValue_IsFarFromThePackage(string form, string key, string value)
    {
        using var folder = FieldFolder.Of(form);
        Exporter.Run(folder.Options);
        long[] ids = folder.Ids(Tokens);
        var other = (JsonObject)folder.Written.Config.DeepClone();
        string[] path = key.Split('.');
        JsonNode owner = path.Length == 1 ? other : other[path[0]]!;
        owner[path[^1]] = JsonNode.Parse(value);
        using var package = new PackageRun(folder.Output);
        double difference = Difference(Flat(Reference(folder, other, ids)), package.Logits(ids, Tokens));
        output.WriteLine($"{form}, {key} = {value}: {difference:0.0e+0} of the range");
        Assert.InRange(difference, 100 * Limit, double.PositiveInfinity);
    }

    private void Check(string form, string? operators)
    {
        using var folder = FieldFolder.Of(form);
        Exporter.Run(folder.Options);
        long[] ids = folder.Ids(Tokens);
        double[] expected = Flat(Reference(folder, folder.Written.Config, ids));
        using var package = new PackageRun(folder.Output, operators);
        Compare($"{form}, whole", expected, package.Logits(ids, Tokens));
        Compare($"{form}, one by one", expected, package.Logits(ids, [.. Enumerable.Repeat(1, Tokens)]));
        Compare($"{form}, in parts", expected, package.Logits(ids, 17, 1, 1, Tokens - 19));
    }

    private void CheckRounded(string form, string precision, string? operators)
    {
        using var folder = FieldFolder.Of(form);
        Exporter.Run(folder.Options with { Precision = precision });
        var stored = PackageWeights.Open(folder.Output).Values(ModelConfig.Load(folder.Checkpoint));
        var reference = new DeepSeekReference(folder.Written.Config, stored.ToDictionary(w => w.Key, w => Array.ConvertAll(w.Value, v => (double)v)));
        long[] ids = folder.Ids(Tokens);
        double[] expected = Flat(reference.Logits(ids));
        using var package = new PackageRun(folder.Output, operators);
        Compare($"{form} {precision}, whole", expected, package.Logits(ids, Tokens));
        Compare($"{form} {precision}, one by one", expected, package.Logits(ids, [.. Enumerable.Repeat(1, Tokens)]));
        Assert.InRange(Difference(Flat(Reference(folder, folder.Written.Config, ids)), Array.ConvertAll(expected, v => (float)v)), 1e-4, 0.5);
    }

    private static double[][] Reference(FieldFolder folder, JsonObject config, long[] ids) => new DeepSeekReference(config, folder.Written.Weights).Logits(ids);

    private void Compare(string name, double[] expected, float[] actual)
    {
        double difference = Difference(expected, actual);
        output.WriteLine($"logits, {name}: {difference:0.0e+0} of the range {expected.Max() - expected.Min():0.0}");
        Close.Assert($"logits, {name}", expected, actual, Limit);
    }

    private static double Difference(double[] expected, float[] actual) =>
        expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() / (expected.Max() - expected.Min());

    private static double[] Flat(double[][] rows) => [.. rows.SelectMany(row => row)];
}
