using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime.Tests.Decoding;

/// <summary>The plain way to decode, as an oracle: a cache that grows by copying, a mask of the whole length, new tensors at every step.</summary>
internal sealed class GrowingDecoder(DecoderGraph graph) : IDisposable
{
    private readonly List<OrtValue> _past = [];
    private int _position;

    /// <summary>Appends tokens and returns the last one's logits.</summary>
    public float[] Append(params int[] tokens)
    {
        long[] Range(int start, int count) => [.. Enumerable.Range(start, count).Select(i => (long)i)];
        int total = _position + tokens.Length;
        var inputs = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = OrtValue.CreateTensorValueFromMemory(tokens.Select(t => (long)t).ToArray(), [1, tokens.Length]),
            ["attention_mask"] = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, total).ToArray(), [1, total]),
            ["position_ids"] = OrtValue.CreateTensorValueFromMemory(Range(_position, tokens.Length), [1, tokens.Length]),
        };
        string[] halves = [.. Enumerable.Range(0, graph.Layers).SelectMany(l => new[] { $"{l}.key", $"{l}.value" })];
        for (int i = 0; i < halves.Length; i++)
        {
            inputs[$"past_key_values.{halves[i]}"] = _past.Count > 0 ? _past[i]
                : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [1, graph.KeyValueHeads, 0, graph.HeadSize]);
        }
        using var options = new RunOptions();
        var outputs = graph.Session.Run(options, inputs, ["logits", .. halves.Select(half => $"present.{half}")]);
        foreach (var input in inputs.Values)
        {
            input.Dispose();
        }
        _past.Clear();
        _past.AddRange(outputs.Skip(1));
        _position = total;
        using var logits = outputs[0];
        return logits.GetTensorDataAsSpan<float>()[^graph.Vocabulary..].ToArray();
    }

    public void Dispose() => _past.ForEach(value => value.Dispose());
}
