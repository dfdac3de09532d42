using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Package;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Export.Parity;

/// <summary>
/// Runs a package with stock ONNX Runtime the two ways that callers keep the cache: growing, and in one buffer that is both past and
/// present.
/// </summary>
internal sealed class DecoderSession : IDisposable
{
    private readonly ModelConfig config;
    private readonly InferenceSession session;
    private readonly RunOptions run = new();

    public DecoderSession(string package, ModelConfig config, GraphOptimizationLevel optimisation)
    {
        this.config = config;
        // Warnings are about the optional input, which is as it should be.
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = optimisation,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        session = new InferenceSession(Path.Combine(package, ModelFiles.Model), options);
        LogitsType = session.OutputMetadata["logits"].ElementDataType;
        CacheType = session.InputMetadata[Caches("past_key_values").First()].ElementDataType;
    }

    /// <summary>Float or Float16.</summary>
    public TensorElementType LogitsType { get; }

    /// <summary>Float, Float16 or BFloat16.</summary>
    public TensorElementType CacheType { get; }

    /// <summary>Names of the cache's outputs, in the order of <see cref="Decoded.Cache"/>.</summary>
    public IEnumerable<string> CacheNames => Caches("present");

    /// <summary>
    /// Feeds whole sequences in steps of the given lengths, with a cache that grows, or one buffer of <paramref name="room"/>
    /// columns.
    /// </summary>
    /// <param name="ids">[rows, tokens]</param>
    public Decoded Decode(long[] ids, int rows, IReadOnlyList<int> steps, int? room = null)
    {
        int tokens = ids.Length / rows, vocabulary = config.VocabSize, done = 0;
        var logits = new float[ids.Length * (long)vocabulary];
        var cache = Caches("past").Select(_ => Empty(rows, room ?? 0)).ToList();
        try
        {
            foreach (int step in steps)
            {
                using var inputs = Inputs(ids, rows, tokens, done, step);
                using var binding = session.CreateIoBinding();
                foreach (var (name, value) in inputs.Named)
                {
                    binding.BindInput(name, value);
                }
                foreach (var (name, value) in Caches("past_key_values").Zip(cache))
                {
                    binding.BindInput(name, value);
                }
                binding.BindOutputToDevice("logits", OrtMemoryInfo.DefaultInstance);
                foreach (var (name, value) in CacheNames.Zip(cache))
                {
                    if (room is null)
                    {
                        binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
                    }
                    else
                    {
                        binding.BindOutput(name, value);
                    }
                }
                session.RunWithBinding(run, binding);
                var outputs = binding.GetOutputValues();
                Copy(outputs[0], logits, rows, tokens, done, step);
                outputs[0].Dispose();
                for (int i = 0; i < cache.Count; i++)
                {
                    cache[i].Dispose();
                    cache[i] = outputs[i + 1];
                }
                done += step;
            }
            return new(logits, [.. cache.Select(value => Rows(value, rows, tokens))]);
        }
        finally
        {
            cache.ForEach(value => value.Dispose());
        }
    }

    public void Dispose()
    {
        run.Dispose();
        session.Dispose();
    }

    private IEnumerable<string> Caches(string prefix) =>
        Enumerable.Range(0, config.NumHiddenLayers).SelectMany(layer => new[] { $"{prefix}.{layer}.key", $"{prefix}.{layer}.value" });

    private OrtValue Empty(int rows, int length)
    {
        var (heads, width) = config.CacheShape;
        long[] shape = [rows, heads, length, width];
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, CacheType, shape);
        value.GetTensorMutableRawData().Clear();
        return value;
    }

    private static StepInputs Inputs(long[] ids, int rows, int tokens, int done, int step)
    {
        IEnumerable<int> each = Enumerable.Range(0, rows), columns = Enumerable.Range(done, step);
        return new(
            Value([.. each.SelectMany(r => columns.Select(t => ids[r * tokens + t]))], rows),
            Value([.. Enumerable.Repeat(1L, rows * (done + step))], rows),
            Value([.. each.SelectMany(_ => columns.Select(t => (long)t))], rows));
    }

    private static OrtValue Value(long[] values, int rows) => OrtValue.CreateTensorValueFromMemory(values, [rows, values.Length / rows]);

    private void Copy(OrtValue value, float[] logits, int rows, int tokens, int done, int step)
    {
        var info = value.GetTensorTypeAndShape();
        long[] expected = [rows, step, config.VocabSize];
        if (!info.Shape.SequenceEqual(expected))
        {
            throw new ParityException($"logits has shape [{string.Join(", ", info.Shape)}]; expected [{string.Join(", ", expected)}]");
        }
        var source = Widen(value);
        int block = step * config.VocabSize;
        for (int row = 0; row < rows; row++)
        {
            source.Slice(row * block, block).CopyTo(logits.AsSpan((row * tokens + done) * config.VocabSize, block));
        }
    }

    // The columns of the tokens, [rows, heads, tokens, width], without the rest of a larger buffer.
    private float[] Rows(OrtValue value, int rows, int tokens)
    {
        var (heads, width) = config.CacheShape;
        var source = Widen(value);
        int length = source.Length / (rows * heads * width);
        var result = new float[rows * heads * tokens * width];
        for (int i = 0; i < rows * heads; i++)
        {
            source.Slice(i * length * width, tokens * width).CopyTo(result.AsSpan(i * tokens * width));
        }
        return result;
    }

    private static ReadOnlySpan<float> Widen(OrtValue value)
    {
        switch (value.GetTensorTypeAndShape().ElementDataType)
        {
            case TensorElementType.Float:
                return value.GetTensorDataAsSpan<float>();
            case TensorElementType.Float16:
                return WeightFormat.Float16.Decode(new(MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<Float16>()).ToArray(), []));
            case TensorElementType.BFloat16:
                return WeightFormat.BFloat16.Decode(new(MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<BFloat16>()).ToArray(), []));
            case var other:
                throw new ParityException($"the package has tensors of {other}; expected Float, Float16 or BFloat16.");
        }
    }

    private sealed record StepInputs(OrtValue Ids, OrtValue Mask, OrtValue Positions) : IDisposable
    {
        public IEnumerable<(string Name, OrtValue Value)> Named =>
            [("input_ids", Ids), ("attention_mask", Mask), ("position_ids", Positions)];

        public void Dispose()
        {
            Ids.Dispose();
            Mask.Dispose();
            Positions.Dispose();
        }
    }
}

/// <param name="Logits">[rows, tokens, vocab_size]</param>
/// <param name="Cache">Keys and values of every layer, [rows, heads, tokens, width] each.</param>
internal sealed record Decoded(float[] Logits, IReadOnlyList<float[]> Cache);
