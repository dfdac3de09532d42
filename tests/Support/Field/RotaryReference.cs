using System.Numerics;
using System.Text.Json.Nodes;

namespace LatentMoE.Tests.Support.Field;

/// <summary>
/// Rotary positions of a DeepSeek checkpoint: pairs of numbers as complex ones, turned by e^(i·m·θ_j). YaRN's ramp runs over the
/// numbers of pairs, between those that turn beta_fast and beta_slow times over the original positions, rounded outwards.
/// </summary>
internal sealed class RotaryReference
{
    private readonly double[] speeds;
    private readonly double magnitude = 1;
    private readonly bool neighbours;

    public RotaryReference(JsonObject config)
    {
        int width = (int)config["qk_rope_head_dim"]!;
        var parameters = config["rope_parameters"] as JsonObject ?? config["rope_scaling"] as JsonObject;
        double theta = (double?)config["rope_theta"] ?? (double?)parameters?["rope_theta"] ?? 10_000;
        neighbours = (bool?)config["rope_interleave"] ?? true;
        speeds = [.. Enumerable.Range(0, width / 2).Select(j => 1 / Math.Pow(theta, (double)j / (width / 2)))];
        if (parameters is null || ((string?)parameters["rope_type"] ?? (string?)parameters["type"]) != "yarn")
        {
            return;
        }
        double factor = (double)parameters["factor"]!, positions = (double)parameters["original_max_position_embeddings"]!;
        double fast = (double?)parameters["beta_fast"] ?? 32, slow = (double?)parameters["beta_slow"] ?? 1;
        // A pair j turns positions · θ^(−2j/width) / 2π times; solved for j.
        double Number(double turns) => width / 2.0 * Math.Log(positions / (2 * Math.PI * turns), theta);
        double begin = Math.Floor(Number(fast)), end = Math.Ceiling(Number(slow));
        (begin, end) = (begin < 0 ? 0 : begin, end > width - 1 ? width - 1 : end);
        end = begin == end ? end + 0.001 : end;
        for (int j = 0; j < speeds.Length; j++)
        {
            double slowed = j <= begin ? 0 : j >= end ? 1 : (j - begin) / (end - begin);
            speeds[j] = slowed * (speeds[j] / factor) + (1 - slowed) * speeds[j];
        }
        double M(string key, double missing) => factor <= 1 ? 1 : 1 + 0.1 * ((double?)parameters[key] ?? missing) * Math.Log(factor);
        magnitude = M("mscale", 1) / M("mscale_all_dim", 0);
        ScoreFactor = Math.Pow(M("mscale_all_dim", 0), 2);
    }

    public double ScoreFactor { get; } = 1;

    public Complex[] Turn(double[] x, int position)
    {
        var result = new Complex[x.Length / 2];
        for (int j = 0; j < result.Length; j++)
        {
            var pair = neighbours ? new Complex(x[2 * j], x[2 * j + 1]) : new Complex(x[j], x[j + result.Length]);
            result[j] = pair * Complex.FromPolarCoordinates(magnitude, position * speeds[j]);
        }
        return result;
    }
}
