using System.Threading.Channels;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>
/// The answers of one request, written side by side. Answer i of a prompt draws with the request's seed plus i. The first failure ends
/// all of them; disposing breaks off what still runs and returns when every row is free.
/// </summary>
internal sealed class ChoiceRun : IAsyncDisposable
{
    // Pieces that may wait for a slow client before the model waits too.
    private const int Ahead = 64;

    private readonly Channel<(int Choice, GeneratedPiece Piece)> _pieces =
        Channel.CreateBounded<(int, GeneratedPiece)>(new BoundedChannelOptions(Ahead) { SingleReader = true });

    private readonly CancellationTokenSource _stop;
    private readonly Task _all;

    public ChoiceRun(InferenceEngine engine, GenerationRequest request, CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answers = Enumerable.Range(0, request.Prompts.Count * request.Choices).Select(choice => Write(choice, engine, request)).ToArray();
        _all = CompleteAsync(answers);
    }

    /// <summary>Every piece with the number of its answer; ends with an exception where an answer failed.</summary>
    public ChannelReader<(int Choice, GeneratedPiece Piece)> Pieces => _pieces.Reader;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _all;
        _stop.Dispose();
    }

    private async Task Write(int choice, InferenceEngine engine, GenerationRequest request)
    {
        try
        {
            var options = request.Options;
            if (options.Seed is { } seed)
            {
                options = options with { Seed = unchecked(seed + (ulong)(choice % request.Choices)) };
            }
            await foreach (var piece in engine.GenerateAsync(request.Prompts[choice / request.Choices], options, _stop.Token))
            {
                await _pieces.Writer.WriteAsync((choice, piece), _stop.Token);
            }
        }
        catch (Exception failure)
        {
            _pieces.Writer.TryComplete(failure);
            await _stop.CancelAsync();
        }
    }

    private async Task CompleteAsync(Task[] answers)
    {
        await Task.WhenAll(answers);
        _pieces.Writer.TryComplete();
    }
}
