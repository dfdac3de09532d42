using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>What the answers of a request have come to so far.</summary>
internal sealed class AnswerTally
{
    private readonly GenerationRequest _request;
    private readonly GenerationStatistics?[] _statistics;
    private readonly RequestTokens? _log;

    public AnswerTally(GenerationRequest request, RequestTokens? log)
    {
        (_request, _log) = (request, log);
        _statistics = new GenerationStatistics?[request.Prompts.Count * request.Choices];
        if (log is not null)
        {
            log.Prompt = PromptTokens;
        }
    }

    /// <summary>Statistics of the answers that are whole.</summary>
    public IEnumerable<GenerationStatistics> Finished => _statistics.OfType<GenerationStatistics>();

    public int Answers => _statistics.Length;

    public int PromptTokens => _request.Prompts.Sum(prompt => prompt.Length);

    public int GeneratedTokens { get; private set; }

    public Usage Usage => new(PromptTokens, GeneratedTokens, PromptTokens + GeneratedTokens, new PromptTokensDetails(CachedTokens));

    // Of several answers to a prompt the first may have had to compute it.
    private int CachedTokens => _statistics.Where((_, choice) => choice % _request.Choices == 0).Sum(answer => answer?.CachedTokens ?? 0);

    public void Add(int choice, GeneratedPiece piece)
    {
        GeneratedTokens++;
        _statistics[choice] = piece.Statistics;
        if (_log is not null)
        {
            _log.Generated = GeneratedTokens;
        }
    }
}
