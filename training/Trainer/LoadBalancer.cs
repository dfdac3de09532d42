using LatentMoE.Training.Model;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>How evenly a layer's experts were used.</summary>
/// <param name="Layer">Number of the layer.</param>
/// <param name="MaxOverMean">Load of the busiest expert over the mean load; 1 is even.</param>
/// <param name="Entropy">Entropy of the loads over that of even loads; 1 is even.</param>
/// <param name="Dead">Experts that no token chose.</param>
public sealed record ExpertLoad(int Layer, double MaxOverMean, double Entropy, int Dead)
{
    public static ExpertLoad Of(int layer, ReadOnlySpan<float> load)
    {
        double total = 0, max = 0, entropy = 0;
        int dead = 0;
        foreach (float x in load)
        {
            total += x;
            max = Math.Max(max, x);
            dead += x == 0 ? 1 : 0;
        }
        if (total == 0)
        {
            return new(layer, 1, 1, dead);
        }
        foreach (float x in load)
        {
            entropy -= x == 0 ? 0 : x / total * Math.Log(x / total);
        }
        return new(layer, max * load.Length / total, load.Length == 1 ? 1 : entropy / Math.Log(load.Length), dead);
    }
}

/// <summary>
/// Loss-free balancing (Wang et al., arXiv 2408.15664): after each step an expert's routing bias rises by a fixed amount if its
/// load was below the mean and falls by it if above. Nothing of it is in the gradient.
/// </summary>
public static class LoadBalancer
{
    /// <summary>Moves the biases, clears the counts, and returns the loads counted since the last call.</summary>
    /// <param name="model">Its routers have counted the tokens of one optimizer step.</param>
    /// <param name="rate">The amount u; 0 leaves the biases alone.</param>
    public static IReadOnlyList<ExpertLoad> Update(Transformer model, double rate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var loads = new List<ExpertLoad>();
        foreach (var (layer, moe) in model.Mixtures)
        {
            var load = moe.Gate.Load;
            loads.Add(ExpertLoad.Of(layer, load.cpu().data<float>().ToArray()));
            moe.Gate.Bias.add_((load.mean() - load).sign() * rate);
            load.zero_();
        }
        return loads;
    }
}
