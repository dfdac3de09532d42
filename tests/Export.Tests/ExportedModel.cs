using LatentMoE.Checkpoints;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Package;
using LatentMoE.Export.Sources;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Export.Tests;

/// <summary>A random checkpoint's graph and weights on disk, and calls of any shape.</summary>
internal sealed class ExportedModel : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly RunOptions run = new();
    private readonly Lazy<InferenceSession> session;

    public ExportedModel(ModelConfig config)
    {
        Config = config;
        RandomCheckpoint.Write(folder.Path, config, seed: 5, rows: 1, tokens: 1);
        using var tensors = CheckpointTensors.Open(folder.Path);
        var (model, data) = DecoderGraph.Build(config, new CheckpointWeights(tensors, config));
        new ModelFiles((model, data)).Write(folder.Path, "", progress: null, CancellationToken.None);
        Model = model;
        DataLength = data.Length;
        session = new(() =>
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            return new InferenceSession(folder[ModelFiles.Model], options);
        });
    }

    public ModelConfig Config { get; }
    public ModelProto Model { get; }
    public long DataLength { get; }
    public string DataFile => folder[ExternalData.FileName];

    /// <summary>
    /// One call. Rows of ids, mask and positions are batch rows; past is the cache of an earlier step, or zeros of <paramref
    /// name="length"/> columns.
    /// </summary>
    public Step Run(long[][] ids, long[][] mask, long[][] positions, Step? past = null, int length = 0, long? keep = null)
    {
        var inputs = new Dictionary<string, OrtValue> { ["input_ids"] = Rows(ids), ["attention_mask"] = Rows(mask), ["position_ids"] = Rows(positions) };
        if (keep is long count)
        {
            inputs["num_logits_to_keep"] = OrtValue.CreateTensorValueFromMemory(new[] { count }, []);
        }
        var (heads, width) = Config.CacheShape;
        string[] names = [.. Enumerable.Range(0, Config.NumHiddenLayers).SelectMany(layer => new[] { $"{layer}.key", $"{layer}.value" })];
        for (int i = 0; i < names.Length; i++)
        {
            float[] data = past?.Cache[i] ?? new float[ids.Length * heads * length * width];
            inputs["past_key_values." + names[i]] = OrtValue.CreateTensorValueFromMemory(data, [ids.Length, heads, data.Length / (ids.Length * heads * width), width]);
        }
        using var outputs = session.Value.Run(run, inputs, ["logits", .. names.Select(name => "present." + name)]);
        foreach (var value in inputs.Values)
        {
            value.Dispose();
        }
        long[] shape = outputs[0].GetTensorTypeAndShape().Shape;
        return new(outputs[0].GetTensorDataAsSpan<float>().ToArray(), (int)shape[1], Config.VocabSize,
            [.. outputs.Skip(1).Select(o => o.GetTensorDataAsSpan<float>().ToArray())], (int)outputs[1].GetTensorTypeAndShape().Shape[2]);
    }

    public void Dispose()
    {
        run.Dispose();
        if (session.IsValueCreated)
        {
            session.Value.Dispose();
        }
        folder.Dispose();
    }

    private static OrtValue Rows(long[][] rows) => OrtValue.CreateTensorValueFromMemory(rows.SelectMany(r => r).ToArray(), [rows.Length, rows[0].Length]);

    /// <param name="Tokens">Tokens of each row that have logits.</param>
    /// <param name="Columns">Length of the present cache.</param>
    public sealed record Step(float[] Logits, int Tokens, int Vocabulary, float[][] Cache, int Columns)
    {
        public float[] At(int row, int token) => Logits[((row * Tokens + token) * Vocabulary)..((row * Tokens + token + 1) * Vocabulary)];
    }
}
