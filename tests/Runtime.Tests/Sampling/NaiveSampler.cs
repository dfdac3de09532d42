namespace LatentMoE.Runtime.Tests.Sampling;

/// <summary>The chances of a draw, one formula after the other in float64 over a sorted list: the oracle of the sampler.</summary>
internal static class NaiveSampler
{
    public static double[] Probabilities(
        float[] logits, GenerationOptions options, int[]? prompt = null, int[]? generated = null, Func<int, bool>? allowed = null)
    {
        var order = Enumerable.Range(0, logits.Length).Where(id => allowed?.Invoke(id) ?? true)
            .Select(id => (Id: id, Score: (double)(float)Adjusted(logits[id], id, options, prompt ?? [], generated ?? [])))
            .Where(t => !double.IsNegativeInfinity(t.Score)).OrderByDescending(t => t.Score).ThenBy(t => t.Id).ToList();
        var result = new double[logits.Length];
        if (options.Temperature == 0)
        {
            result[order[0].Id] = 1;
            return result;
        }
        order = [.. order.Select(t => (t.Id, t.Score / options.Temperature))];
        order = options.TopK > 0 ? order.Take(options.TopK).ToList() : order;
        order = Nearest(order, options.TopP, (score, _) => -score);
        double[] probabilities = Softmax(order);
        order = order.Where((_, rank) => probabilities[rank] >= options.MinP * probabilities[0]).ToList();
        order = Nearest(order, options.TypicalP, (score, entropy) => Math.Abs(-score - entropy));
        probabilities = Softmax(order);
        for (int rank = 0; rank < order.Count; rank++)
        {
            result[order[rank].Id] = probabilities[rank];
        }
        return result;
    }

    /// <summary>A logit after bias and penalties.</summary>
    public static double Adjusted(double logit, int id, GenerationOptions options, int[] prompt, int[] generated)
    {
        logit += options.LogitBias.GetValueOrDefault(id);
        if (prompt.Contains(id) || generated.Contains(id))
        {
            logit = logit < 0 ? logit * options.RepetitionPenalty : logit / options.RepetitionPenalty;
        }
        int times = generated.Count(token => token == id);
        return logit - (times > 0 ? options.PresencePenalty : 0) - times * (double)options.FrequencyPenalty;
    }

    /// <summary>The natural logarithms of the softmax.</summary>
    public static double[] LogSoftmax(float[] logits)
    {
        double largest = logits.Max(), sum = Math.Log(logits.Sum(x => Math.Exp(x - largest)));
        return [.. logits.Select(x => x - largest - sum)];
    }

    // The fewest tokens of the smallest distance, given log p and the entropy, that hold the mass; what is left stays in its order.
    private static List<(int Id, double Score)> Nearest(List<(int Id, double Score)> order, double mass, Func<double, double, double> distance)
    {
        if (mass == 1)
        {
            return order;
        }
        double[] probabilities = Softmax(order);
        double entropy = -probabilities.Sum(p => p > 0 ? p * Math.Log(p) : 0), before = 0;
        var kept = Enumerable.Range(0, order.Count).OrderBy(rank => distance(Math.Log(probabilities[rank]), entropy)).ThenBy(rank => order[rank].Id)
            .TakeWhile(rank => (before += probabilities[rank]) - probabilities[rank] < mass).ToHashSet();
        return order.Where((_, rank) => kept.Contains(rank)).ToList();
    }

    private static double[] Softmax(List<(int Id, double Score)> order)
    {
        double largest = order.Max(t => t.Score);
        double[] weights = [.. order.Select(t => Math.Exp(t.Score - largest))];
        double total = weights.Sum();
        return [.. weights.Select(w => w / total)];
    }
}
