using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

// Gradients in bounded memory. The numbers are those of Loss(..).backward() but for the order of sums.
public sealed partial class Transformer
{
    /// <summary>
    /// Logits that exist at a time. Head and loss of a larger micro-batch are computed, forward and backward, in parts of its
    /// tokens: at a vocabulary of 50,257 the logits of 128 windows of 512 tokens, with their gradients, would take tens of gigabytes.
    /// </summary>
    internal long MaxLogits { get; set; } = 1L << 25;

    /// <summary>
    /// Whether only the layers' inputs are kept for the backward pass, which then computes every layer once more (Chen et al.,
    /// arXiv 1604.06174): a third more work for memory that hardly grows with the number of layers.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>Adds the gradients of <paramref name="share"/> times the loss to those of the weights.</summary>
    /// <param name="ids">[B, T] int64.</param>
    /// <param name="targets">[B, T] int64.</param>
    /// <param name="share">Factor on the loss: one over the number of micro-batches of a step.</param>
    /// <returns>The loss times <paramref name="share"/>. Where it is NaN or infinite, no gradient has been computed, or only some of them.</returns>
    public double Backward(Tensor ids, Tensor targets, double share = 1)
    {
        using var scope = NewDisposeScope();
        if (GradientCheckpointing)
        {
            return BackwardByLayers(ids, targets, share);
        }
        var hidden = Hidden(ids); // (B·T, hidden)
        if (hidden.shape[0] <= TokensAtATime)
        {
            var loss = Loss(hidden, targets.flatten(), nn.Reduction.Mean) * share;
            double value = Number(loss);
            if (double.IsFinite(value))
            {
                loss.backward();
            }
            return value;
        }
        var (sum, gradient) = BackwardOfHead(hidden, targets, share);
        if (double.IsFinite(sum))
        {
            hidden.backward([gradient]);
        }
        return sum;
    }

    private long TokensAtATime => Math.Max(1, MaxLogits / Config.VocabSize);

    // Loss, and its gradient with respect to the normed residual stream (B·T, hidden), part by part; the head's gradient is added to.
    private (double Loss, Tensor Gradient) BackwardOfHead(Tensor hidden, Tensor targets, double share)
    {
        var flat = targets.flatten();
        double total = 0;
        var gradients = new List<Tensor>();
        foreach (var (first, count) in Parts(flat.shape[0]))
        {
            using var part = NewDisposeScope();
            var leaf = hidden.narrow(0, first, count).detach().requires_grad_();
            var loss = Loss(leaf, flat.narrow(0, first, count), nn.Reduction.Sum) * (share / flat.shape[0]);
            double value = Number(loss);
            total += value;
            if (!double.IsFinite(value))
            {
                break;
            }
            loss.backward();
            gradients.Add(leaf.grad!.MoveToOuterDisposeScope());
        }
        return (total, gradients.Count == 0 ? hidden : cat(gradients, 0));
    }

    private double BackwardByLayers(Tensor ids, Tensor targets, double share)
    {
        // Dropout draws from torch's generator: a layer that is computed again starts from the state it had.
        var inputs = new List<Tensor>();
        var states = new List<Tensor?>();
        Tensor x;
        using (no_grad())
        {
            x = Embed(ids);
            foreach (var block in _layers)
            {
                inputs.Add(x);
                states.Add(_dropout > 0 ? get_rng_state() : null);
                x = block.call(x);
            }
        }
        var last = x.detach().requires_grad_();
        var hidden = _norm.call(last).flatten(0, 1);
        var (loss, gradient) = BackwardOfHead(hidden, targets, share);
        if (!double.IsFinite(loss))
        {
            return loss;
        }
        hidden.backward([gradient]);
        var after = _dropout > 0 ? get_rng_state() : null;
        SetCounting(false);
        try
        {
            gradient = last.grad!;
            for (int i = _layers.Count - 1; i >= 0; i--)
            {
                using var layer = NewDisposeScope();
                if (states[i] is { } state)
                {
                    set_rng_state(state);
                }
                var leaf = inputs[i].detach().requires_grad_();
                _layers[i].call(leaf).backward([gradient]);
                gradient = leaf.grad!.MoveToOuterDisposeScope();
                inputs[i].Dispose();
            }
        }
        finally
        {
            SetCounting(true);
            if (after is not null)
            {
                set_rng_state(after);
            }
        }
        Embed(ids).backward([gradient]);
        return loss;
    }

    // Tokens that a router sees again are not tokens more.
    private void SetCounting(bool counting)
    {
        foreach (var (_, moe) in Mixtures)
        {
            moe.Gate.Counting = counting;
        }
    }

    private IEnumerable<(long First, long Count)> Parts(long tokens)
    {
        for (long first = 0; first < tokens; first += TokensAtATime)
        {
            yield return (first, Math.Min(TokensAtATime, tokens - first));
        }
    }

    private static double Number(Tensor scalar) => scalar.detach().to(ScalarType.Float64).item<double>();
}
