using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>The format of <c>/v1/completions</c>.</summary>
/// <param name="echoes">For each answer the text before it; null for none.</param>
internal sealed class CompletionFormat(ServedModel served, bool experts, IReadOnlyList<string>? echoes) : AnswerFormat(served, experts, "cmpl")
{
    private readonly Dictionary<int, TextOffsets> _offsets = [];

    public override object? First(int choice) => echoes is null ? null : Answer([new CompletionChoice(choice, echoes[choice], null, null)]);

    public override object Event(AnswerPart part) => Answer([Choice(part, part.Text)]) with { Timings = TimingsOf(part) };

    public override object UsageEvent(Usage usage) => Answer([]) with { Usage = usage };

    public override object Whole(IReadOnlyList<AnswerPart> answers, Usage usage) =>
        Answer([.. answers.Select(answer => Choice(answer, echoes?[answer.Choice] + answer.Text))]) with { Usage = usage, Timings = TimingsOf(answers) };

    private Completion Answer(IReadOnlyList<CompletionChoice> choices) => new(Id, Created, Served.Name, choices);

    private CompletionChoice Choice(AnswerPart part, string text) => new(part.Choice, text, Logprobs(part), part.FinishReason)
    {
        TokenIds = TokenIds(part),
        Experts = Experts(part),
    };

    private CompletionLogprobs? Logprobs(AnswerPart part)
    {
        if (part.Pieces.Any(piece => piece.Logprobs is null))
        {
            return null;
        }
        if (!_offsets.TryGetValue(part.Choice, out var offsets))
        {
            _offsets[part.Choice] = offsets = new TextOffsets(Served.Model);
        }
        return new CompletionLogprobs(
            [.. part.Pieces.Select(piece => Tokens.Text(piece.TokenId))],
            [.. part.Pieces.Select(piece => Finite(piece.Logprobs!.Logprob))],
            part.Pieces.All(piece => piece.Logprobs!.Top.Count == 0) ? null : [.. part.Pieces.Select(piece => Top(piece.Logprobs!))],
            [.. part.Pieces.Select(piece => offsets.Next(piece.TokenId))]);
    }

    private Dictionary<string, float> Top(TokenLogprobs logprobs)
    {
        var top = new Dictionary<string, float>(logprobs.Top.Count);
        foreach (var (token, logprob) in logprobs.Top)
        {
            top.TryAdd(Tokens.Text(token), Finite(logprob));
        }
        return top;
    }
}
