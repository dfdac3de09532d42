using System.Runtime.ExceptionServices;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Metrics;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>
/// Answers a request for text, as a stream or whole. Nothing is sent before the first piece, so that what goes wrong until then has a
/// status of its own; what goes wrong later is an event, the last one.
/// </summary>
internal sealed partial class GenerationHandler(
    InferenceEngine engine, ServerMetrics metrics, DrainGate gate, ServerOptions options, ILogger<GenerationHandler> logger)
{
    public async Task RunAsync(HttpContext context, string operation, Func<JsonFields, GenerationRequest> read)
    {
        using var deadline = new Deadline(context, gate, options);
        var measure = metrics.Start(operation);
        try
        {
            var request = await ReadAsync(context, read, deadline.Token);
            var tally = new AnswerTally(request, context.Features.Get<RequestTokens>());
            await using var run = new ChoiceRun(engine, request, deadline.Token);
            if (await run.Pieces.WaitToReadAsync(deadline.Token))
            {
                measure.FirstToken();
            }
            await (request.Stream ? StreamAsync(context, request, run, tally, deadline.Token) : CollectAsync(context, request, run, tally, deadline.Token));
            measure.Complete(tally);
        }
        catch (Exception e)
        {
            var failure = deadline.Explain(e);
            measure.Fail(failure);
            if (!context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
            await EndStreamAsync(context, failure);
        }
    }

    private static async Task<GenerationRequest> ReadAsync(HttpContext context, Func<JsonFields, GenerationRequest> read, CancellationToken cancellationToken)
    {
        using var body = await JsonBody.ReadAsync(context.Request, cancellationToken);
        return read(new JsonFields(body.RootElement));
    }

    private static async Task StreamAsync(HttpContext context, GenerationRequest request, ChoiceRun run, AnswerTally tally, CancellationToken cancellationToken)
    {
        var events = ServerSentEvents.Begin(context);
        foreach (object first in Enumerable.Range(0, tally.Answers).Select(request.Format.First).OfType<object>())
        {
            events.Write(first);
        }
        do
        {
            while (run.Pieces.TryRead(out var next)) // what has come meanwhile leaves together
            {
                tally.Add(next.Choice, next.Piece);
                if (request.Format.IsWorthAnEvent(next.Piece))
                {
                    events.Write(request.Format.Event(new AnswerPart(next.Choice, [next.Piece])));
                }
            }
            await events.FlushAsync(cancellationToken);
        }
        while (await run.Pieces.WaitToReadAsync(cancellationToken));
        if (request.IncludeUsage)
        {
            events.Write(request.Format.UsageEvent(tally.Usage));
        }
        events.WriteDone();
        await events.FlushAsync(cancellationToken);
    }

    private static async Task CollectAsync(HttpContext context, GenerationRequest request, ChoiceRun run, AnswerTally tally, CancellationToken cancellationToken)
    {
        var answers = Enumerable.Range(0, tally.Answers).Select(_ => new List<GeneratedPiece>()).ToArray();
        await foreach (var (choice, piece) in run.Pieces.ReadAllAsync(cancellationToken))
        {
            tally.Add(choice, piece);
            answers[choice].Add(piece);
        }
        await JsonAnswer.WriteAsync(context, request.Format.Whole([.. answers.Select((pieces, choice) => new AnswerPart(choice, pieces))], tally.Usage));
    }

    private async Task EndStreamAsync(HttpContext context, Exception failure)
    {
        if (Failures.IsServerFault(failure))
        {
            LogFailure(failure);
        }
        var events = ServerSentEvents.Continue(context);
        events.Write(ErrorBody.Of(Failures.Describe(failure)));
        await events.FlushAsync(context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An answer broke off")]
    private partial void LogFailure(Exception failure);
}
