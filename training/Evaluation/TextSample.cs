using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Evaluation;

/// <summary>A short continuation, to see what was learned. It recomputes the whole text for each token; the runtime is what generates in earnest.</summary>
public static class TextSample
{
    /// <summary>The prompt and what the model makes of it.</summary>
    /// <param name="model">Left in evaluation mode.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompt">The beginning.</param>
    /// <param name="tokens">Tokens to add at most; the end-of-text token ends it sooner.</param>
    /// <param name="temperature">0 takes the likeliest token, 1 samples from the model's own distribution.</param>
    /// <param name="seed">Of the sampling.</param>
    /// <param name="device">Where the model is.</param>
    public static string Generate(Transformer model, TokenizerFile tokenizer, string prompt, int tokens, double temperature, int seed, ComputeDevice device)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        model.eval();
        model.ComputeType = device.Dtype;
        var random = new Random(seed);
        int? end = model.Config.EosTokenId;
        List<long> ids = [.. model.Config.BosTokenId is int bos ? new long[] { bos } : [], .. tokenizer.Encode(prompt).Select(id => (long)id)];
        int start = ids.Count, limit = Math.Min(start + tokens, model.Config.MaxPositionEmbeddings);
        while (ids.Count < limit)
        {
            using var step = NewDisposeScope();
            var logits = model.call(tensor(ids.ToArray(), [1, ids.Count]).to(device.Device)).select(1, ids.Count - 1).flatten();
            int next = Pick(logits.to(ScalarType.Float32).cpu().data<float>().ToArray(), temperature, random);
            if (next == end)
            {
                break;
            }
            ids.Add(next);
        }
        return tokenizer.Decode(ids.Select(id => (int)id)).Trim();
    }

    private static int Pick(float[] logits, double temperature, Random random)
    {
        int best = Array.IndexOf(logits, logits.Max());
        if (temperature <= 0)
        {
            return best;
        }
        double[] weights = [.. logits.Select(x => Math.Exp((x - logits[best]) / temperature))];
        double at = random.NextDouble() * weights.Sum();
        for (int i = 0; i < weights.Length; i++)
        {
            at -= weights[i];
            if (at < 0)
            {
                return i;
            }
        }
        return best;
    }
}
