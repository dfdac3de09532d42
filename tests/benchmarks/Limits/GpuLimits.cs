using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Limits;

/// <summary>A GPU's limits, as <c>gpu_bench</c> measured them with kernels of its own; none where no file of them is given.</summary>
internal sealed class GpuLimits : ILimitMeter
{
    private readonly string? path;
    private readonly JsonNode? limits;

    /// <exception cref="CheckpointException">There is no such file, or it is none of limits.</exception>
    public GpuLimits(string? path)
    {
        this.path = path;
        try
        {
            limits = path is null ? null : JsonNode.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException($"{path}: no limits of a GPU: {e.Message} Expected limits.json as gpu_bench writes it.", e);
        }
        _ = Measure("f32");
    }

    public MachineLimits? Measure(string activations)
    {
        if (limits is null)
        {
            return null;
        }
        double read = Number("read_bytes_per_second");
        return new(read, read, Number($"{activations}_flops_per_second"), activations);
    }

    public void Dispose()
    {
    }

    private double Number(string key) => limits is JsonObject values && values[key] is JsonValue value && value.TryGetValue(out double number)
        ? number : throw new CheckpointException($"{path}: no number {key}; expected limits.json as gpu_bench writes it.");
}
