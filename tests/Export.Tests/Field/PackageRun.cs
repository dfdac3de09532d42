using System.Text.Json.Nodes;
using LatentMoE.Export.Package;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Export.Tests.Field;

/// <summary>A package on ONNX Runtime, driven by what its files say alone.</summary>
internal sealed class PackageRun : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions run = new();
    private readonly int layers, vocabulary;
    private readonly long[] cache;

    /// <param name="operators">The operator library; null for the bodies.</param>
    public PackageRun(string package, string? operators = null)
    {
        var model = JsonNode.Parse(File.ReadAllText(Path.Combine(package, "genai_config.json")))!["model"]!;
        layers = (int)model["decoder"]!["num_hidden_layers"]!;
        vocabulary = (int)model["vocab_size"]!;
        cache = [1, (int)model["decoder"]!["num_key_value_heads"]!, 0, (int)model["decoder"]!["head_size"]!];
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (operators is not null)
        {
            options.RegisterCustomOpLibrary(operators);
        }
        session = new InferenceSession(Path.Combine(package, ModelFiles.Model), options);
    }

    /// <summary>Logits [T · V] of one sequence, in steps of the given lengths with a growing cache.</summary>
    public float[] Logits(long[] ids, params int[] steps)
    {
        string[] names = [.. Enumerable.Range(0, layers).SelectMany(n => new[] { $"{n}.key", $"{n}.value" })];
        List<(float[] Values, long[] Shape)> past = [.. names.Select(_ => (Array.Empty<float>(), cache))];
        var logits = new List<float>();
        int done = 0;
        foreach (int step in steps)
        {
            long[] positions = [.. Enumerable.Range(done, step).Select(p => (long)p)];
            var inputs = new Dictionary<string, OrtValue>
            {
                ["input_ids"] = OrtValue.CreateTensorValueFromMemory(ids[done..(done + step)], [1, step]),
                ["attention_mask"] = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, done + step).ToArray(), [1, done + step]),
                ["position_ids"] = OrtValue.CreateTensorValueFromMemory(positions, [1, step]),
            };
            for (int i = 0; i < names.Length; i++)
            {
                inputs["past_key_values." + names[i]] = OrtValue.CreateTensorValueFromMemory(past[i].Values, past[i].Shape);
            }
            using var outputs = session.Run(run, inputs, ["logits", .. names.Select(name => "present." + name)]);
            Assert.Equal([1, step, vocabulary], outputs[0].GetTensorTypeAndShape().Shape);
            logits.AddRange(outputs[0].GetTensorDataAsSpan<float>());
            past = [.. outputs.Skip(1).Select(o => (o.GetTensorDataAsSpan<float>().ToArray(), o.GetTensorTypeAndShape().Shape))];
            foreach (var input in inputs.Values)
            {
                input.Dispose();
            }
            done += step;
        }
        return [.. logits];
    }

    public void Dispose()
    {
        run.Dispose();
        session.Dispose();
    }
}
