using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Tests.Support.Field;

/// <summary>
/// A checkpoint folder in the field's own form, with random weights in the types and shards of published ones, and the very numbers
/// that its bytes stand for.
/// </summary>
/// <param name="Config">config.json.</param>
/// <param name="Weights">Every tensor's numbers as they are stored, dequantised, under its name.</param>
public sealed record FieldCheckpoint(JsonObject Config, IReadOnlyDictionary<string, double[]> Weights)
{
    /// <param name="config">One of <see cref="FieldConfigs"/>; F8_E4M3 where it has a quantization_config.</param>
    /// <param name="type">Of all that is not quantised, but the router's bias, which is F32.</param>
    /// <param name="shards">Number of files; one without an index for 1.</param>
    /// <param name="scales">Type of the factors of quantised tensors.</param>
    public static FieldCheckpoint Write(string folder, string config, SafetensorsType type = SafetensorsType.BF16, int shards = 1,
        SafetensorsType scales = SafetensorsType.F32, int seed = 1)
    {
        var json = WriteBeside(folder, config);
        var random = new RandomNumbers(seed);
        var weights = new Dictionary<string, double[]>();
        var entries = new List<SafetensorsEntry>();
        int[]? block = (json["quantization_config"]?["weight_block_size"] as JsonArray)?.Select(n => (int)n!).ToArray();
        foreach (var (name, shape, quantised) in FieldTensors.Of(json))
        {
            double[] values = Draw(name, shape, random);
            if (quantised && block is not null)
            {
                weights.Add(name, Quantise(name, shape, values, block, scales, random, entries));
            }
            else
            {
                bool bias = name.EndsWith("bias", StringComparison.Ordinal);
                weights.Add(name, Store(name, shape, values, bias ? SafetensorsType.F32 : type, entries));
            }
        }
        WriteShards(folder, entries, shards);
        return new(json, weights);
    }

    /// <summary>A checkpoint of bfloat16 zeros, which may be large: nothing of it is in memory.</summary>
    public static void WriteZeros(string folder, string config)
    {
        var entries = FieldTensors.Of(WriteBeside(folder, config)).Select(e =>
        {
            long bytes = e.Shape.Aggregate(2L, (a, b) => a * b);
            return new SafetensorsEntry(e.Name, SafetensorsType.BF16, e.Shape, stream => WriteZeros(stream, bytes));
        });
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), entries);
    }

    private static void WriteZeros(Stream stream, long bytes)
    {
        var zeros = new byte[1 << 16];
        for (long left = bytes; left > 0; left -= zeros.Length)
        {
            stream.Write(zeros, 0, (int)Math.Min(left, zeros.Length));
        }
    }

    // All but the weights.
    private static JsonObject WriteBeside(string folder, string config)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), """{ "bos_token_id": 0, "eos_token_id": 1, "do_sample": true, "temperature": 0.3 }""");
        TinyTokenizer.Write(folder);
        return (JsonObject)JsonNode.Parse(config)!;
    }

    private static double[] Draw(string name, long[] shape, RandomNumbers random)
    {
        double deviation = name switch
        {
            "model.embed_tokens.weight" => 0.3,
            "lm_head.weight" => 2 / Math.Sqrt(shape[^1]),
            _ when shape.Length == 1 => 0.1,
            _ when name.EndsWith("gate.weight", StringComparison.Ordinal) => 2 / Math.Sqrt(shape[^1]),
            _ when name.Contains("self_attn", StringComparison.Ordinal) => 1.5 / Math.Sqrt(shape[^1]),
            _ => 1 / Math.Sqrt(shape[^1]),
        };
        bool gain = shape.Length == 1 && !name.EndsWith("bias", StringComparison.Ordinal);
        return [.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => (gain ? 1 : 0) + deviation * random.Normal())];
    }

    private static double[] Store(string name, long[] shape, double[] values, SafetensorsType type, List<SafetensorsEntry> entries)
    {
        var stored = values.Select(v => Rounding.Store(v, type)).ToList();
        entries.Add(SafetensorsEntry.Of(name, type, shape, stored.SelectMany(s => s.Bytes).ToArray()));
        return [.. stored.Select(s => s.Value)];
    }

    // Every block has a factor that brings its largest number near the type's, with some room, so that no two factors are alike.
    private static double[] Quantise(string name, long[] shape, double[] values, int[] block, SafetensorsType scales, RandomNumbers random, List<SafetensorsEntry> entries)
    {
        int rows = (int)shape[0], columns = (int)shape[1], across = (columns + block[1] - 1) / block[1], down = (rows + block[0] - 1) / block[0];
        var largest = new double[down * across];
        int Block(int i) => i / columns / block[0] * across + i % columns / block[1];
        for (int i = 0; i < values.Length; i++)
        {
            largest[Block(i)] = Math.Max(largest[Block(i)], Math.Abs(values[i]));
        }
        double[] wanted = [.. largest.Select(l => l / Rounding.LargestEight * random.Next(100, 200) / 100.0)];
        double[] factors = Store(name + "_scale_inv", [down, across], wanted, scales, entries);
        double[] eights = Store(name, shape, [.. values.Select((v, i) => v / factors[Block(i)])], SafetensorsType.F8_E4M3, entries);
        return [.. eights.Select((v, i) => v * factors[Block(i)])];
    }

    private static void WriteShards(string folder, List<SafetensorsEntry> entries, int shards)
    {
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (shards == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), entries, metadata);
            return;
        }
        var map = new JsonObject();
        for (int shard = 0; shard < shards; shard++)
        {
            string name = $"model-{shard + 1:00000}-of-{shards:000000}.safetensors";
            var part = entries.Skip(entries.Count * shard / shards).Take(entries.Count * (shard + 1) / shards - entries.Count * shard / shards).ToList();
            SafetensorsWriter.Write(Path.Combine(folder, name), part, metadata);
            part.ForEach(entry => map[entry.Name] = name);
        }
        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = entries.Sum(e => e.ByteLength) }, ["weight_map"] = map };
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString());
    }
}
