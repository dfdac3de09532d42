using LatentMoE.Checkpoints;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>A session and its cache, which grows from step to step or is one buffer, written in place.</summary>
internal sealed class Decoder(InferenceSession session, ModelConfig config, DataType cacheType) : IDisposable
{
    private readonly string[] halves = [.. Enumerable.Range(0, config.NumHiddenLayers).SelectMany(layer => new[] { $"{layer}.key", $"{layer}.value" })];
    private readonly List<OrtValue> cache = [];
    private bool shared;

    /// <summary>Forgets everything; from here on the cache is a buffer of so many columns, or grows from none.</summary>
    public void Start(int rows, int? columns = null)
    {
        Clear();
        shared = columns is not null;
        var (heads, width) = config.CacheShape;
        var type = cacheType switch
        {
            DataType.Float => TensorElementType.Float,
            DataType.Float16 => TensorElementType.Float16,
            _ => TensorElementType.BFloat16,
        };
        foreach (string _ in halves)
        {
            var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [rows, heads, columns ?? 0, width]);
            value.GetTensorMutableRawData().Clear();
            cache.Add(value);
        }
    }

    /// <summary>Logits (rows, tokens, vocabulary) of one call; arguments are a row's ids, mask and positions each.</summary>
    public float[] Step(long[][] ids, long[][] mask, long[][] positions)
    {
        using var run = new RunOptions();
        using var binding = session.CreateIoBinding();
        var inputs = new List<OrtValue>();
        foreach (var (name, rows) in new[] { ("input_ids", ids), ("attention_mask", mask), ("position_ids", positions) })
        {
            inputs.Add(Tensor.Of([.. rows.SelectMany(row => row)], rows.Length, rows[0].Length).ToValue());
            binding.BindInput(name, inputs[^1]);
        }
        binding.BindOutputToDevice("logits", OrtMemoryInfo.DefaultInstance);
        for (int i = 0; i < halves.Length; i++)
        {
            binding.BindInput("past_key_values." + halves[i], cache[i]);
            if (shared)
            {
                binding.BindOutput("present." + halves[i], cache[i]);
            }
            else
            {
                binding.BindOutputToDevice("present." + halves[i], OrtMemoryInfo.DefaultInstance);
            }
        }
        session.RunWithBinding(run, binding);
        var outputs = binding.GetOutputValues().ToList();
        inputs.ForEach(value => value.Dispose());
        float[] logits = Tensor.Read(outputs[0]).Floats;
        if (!shared)
        {
            Clear();
            cache.AddRange(outputs.Skip(1));
            outputs.RemoveRange(1, outputs.Count - 1);
        }
        outputs.ForEach(value => value.Dispose());
        return logits;
    }

    /// <summary>Logits of tokens that follow the <paramref name="start"/> first, in every row alike.</summary>
    public float[] Append(int start, params long[][] rows)
    {
        int end = start + rows[0].Length;
        long[] Numbers(int from, int to) => [.. Enumerable.Range(from, to - from).Select(i => (long)i)];
        return Step(rows, [.. rows.Select(_ => Enumerable.Repeat(1L, end).ToArray())], [.. rows.Select(_ => Numbers(start, end))]);
    }

    /// <summary>The cached values, layer after layer, keys before values.</summary>
    public IEnumerable<Tensor> Cached() => cache.Select(Tensor.Read);

    /// <summary>Goes on with another decoder's cache.</summary>
    public void TakeCache(Decoder other)
    {
        foreach (var (mine, theirs) in cache.Zip(other.cache))
        {
            theirs.GetTensorDataAsSpan<byte>().CopyTo(mine.GetTensorMutableRawData());
        }
    }

    public void Dispose()
    {
        Clear();
        session.Dispose();
    }

    private void Clear()
    {
        cache.ForEach(value => value.Dispose());
        cache.Clear();
    }
}
