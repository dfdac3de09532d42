using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>The format of <c>/v1/chat/completions</c>.</summary>
internal sealed class ChatFormat(ServedModel served, bool experts) : AnswerFormat(served, experts, "chatcmpl")
{
    private const string Assistant = "assistant";

    public override object? First(int choice) => Chunk([new ChatChoice(choice, null, null) { Delta = new ChatMessage(Assistant, "") }]);

    public override object Event(AnswerPart part) =>
        Chunk([Choice(part) with { Delta = new ChatMessage(Content: part.Text.Length > 0 ? part.Text : null) }]) with { Timings = TimingsOf(part) };

    public override object UsageEvent(Usage usage) => Chunk([]) with { Usage = usage };

    public override object Whole(IReadOnlyList<AnswerPart> answers, Usage usage) => new ChatCompletion(
        Id, "chat.completion", Created, Served.Name, [.. answers.Select(answer => Choice(answer) with { Message = new ChatMessage(Assistant, answer.Text) })])
    {
        Usage = usage,
        Timings = TimingsOf(answers),
    };

    private ChatCompletion Chunk(IReadOnlyList<ChatChoice> choices) => new(Id, "chat.completion.chunk", Created, Served.Name, choices);

    private ChatChoice Choice(AnswerPart part) => new(part.Choice, Logprobs(part), part.FinishReason)
    {
        TokenIds = TokenIds(part),
        Experts = Experts(part),
    };

    private ChatLogprobs? Logprobs(AnswerPart part) => part.Pieces.Any(piece => piece.Logprobs is null) ? null : new ChatLogprobs(
        [.. part.Pieces.Select(piece => Entry(piece.TokenId, piece.Logprobs!.Logprob) with
        {
            TopLogprobs = [.. piece.Logprobs.Top.Select(top => Entry(top.TokenId, top.Logprob))],
        })]);

    private ChatTokenLogprob Entry(int token, float logprob) => new(Tokens.Text(token), Finite(logprob), Tokens.Bytes(token));
}
