namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Moves the logits of single tokens, in this order: logit bias; the repetition penalty, over prompt and answer; presence and frequency
/// penalty, over the answer alone.
/// </summary>
internal sealed class LogitAdjustment : IDisposable
{
    private readonly float _repetition, _presence, _frequency;
    private readonly int _vocabulary;
    private readonly KeyValuePair<int, float>[] _bias;
    private readonly int[] _times; // of each token: 0 until it is seen, then 1 and once more for each time that the answer holds it
    private readonly int[] _seen;
    private int _seenCount;

    public LogitAdjustment(GenerationOptions options, int vocabulary)
    {
        (_repetition, _presence, _frequency) = (options.RepetitionPenalty, options.PresencePenalty, options.FrequencyPenalty);
        _vocabulary = vocabulary;
        _bias = [.. options.LogitBias];
        bool penalizes = _repetition != 1 || _presence != 0 || _frequency != 0;
        _times = Rented.Array<int>(penalizes ? vocabulary : 0);
        _seen = Rented.Array<int>(penalizes ? vocabulary : 0);
        Array.Clear(_times);
        IsNone = !penalizes && _bias.Length == 0;
    }

    /// <summary>Whether logits stay as they are, whatever comes.</summary>
    public bool IsNone { get; }

    /// <summary>Notes a token of the prompt.</summary>
    public void Accept(int token) => Note(token, 0);

    /// <summary>Notes a token of the answer.</summary>
    public void AcceptGenerated(int token) => Note(token, 1);

    /// <summary>Moves the logits [vocabulary].</summary>
    public void Apply(Span<float> logits)
    {
        foreach (var (id, bias) in _bias)
        {
            logits[id] += bias;
        }
        foreach (int id in _seen.AsSpan(0, _seenCount))
        {
            // Keskar et al. 2019, with the sign rule of Hugging Face: a seen token never becomes more likely.
            float logit = logits[id] < 0 ? logits[id] * _repetition : logits[id] / _repetition;
            int times = _times[id] - 1;
            // As the API of OpenAI defines them.
            logits[id] = times > 0 ? logit - _presence - _frequency * times : logit;
        }
    }

    public void Dispose()
    {
        Rented.Return(_times);
        Rented.Return(_seen);
    }

    private void Note(int token, int times)
    {
        if (_times.Length == 0 || (uint)token >= (uint)_vocabulary)
        {
            return;
        }
        if (_times[token] == 0)
        {
            _times[token] = 1;
            _seen[_seenCount++] = token;
        }
        _times[token] += times;
    }
}
