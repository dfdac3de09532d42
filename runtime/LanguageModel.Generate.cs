using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Generation;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime;

public sealed partial class LanguageModel
{
    // Pieces that may wait for a slow reader before the model waits too.
    private const int Ahead = 64;
    private TokenVocabulary? _vocabulary;
    private object? _vocabularyGate;

    /// <summary>The bytes of every token, for grammars; made when one is first used.</summary>
    internal TokenVocabulary Vocabulary => LazyInitializer.EnsureInitialized(
        ref _vocabulary, ref _vocabularyGate, () => new TokenVocabulary(TokenBytes, VocabularySize, _package.Config.EndTokens));

    /// <summary>Continues a prompt, piece by piece as the model writes. Leaving the loop early stops the model.</summary>
    /// <exception cref="PromptTooLongException">The prompt does not fit the context.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the prompt has no tokens.</exception>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(
        string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Stream(Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>Continues a prompt of token ids, to which nothing is prepended.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(
        IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Stream(Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>Continues a prompt on the calling thread and returns the whole answer.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public GenerationResult Generate(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Collect(Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>Continues a prompt of token ids, to which nothing is prepended, on the calling thread and returns the whole answer.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public GenerationResult Generate(
        IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Collect(Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>
    /// Continues token ids: no text, no stop strings, nothing prepended. The model advances as the sequence is enumerated,
    /// on the enumerating thread; an end-of-sequence token is the last one returned. A token allocates no managed memory,
    /// apart from a few handles every 128 tokens.
    /// </summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public IEnumerable<int> GenerateTokens(
        IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        int[] tokens = Prepare(prompt, options);
        return Iterate();

        IEnumerable<int> Iterate()
        {
            var session = _pool.Rent(cancellationToken);
            try
            {
                using var loop = Loop(session, tokens, options, cancellationToken);
                while (loop.Finish is null)
                {
                    yield return loop.Next();
                }
            }
            finally
            {
                _pool.Return(session);
            }
        }
    }

    private GenerationResult Collect(int[] tokens, GenerationOptions options, CancellationToken cancellationToken)
    {
        var session = _pool.Rent(cancellationToken);
        try
        {
            using var loop = Loop(session, tokens, options, cancellationToken);
            var pieces = Pieces(loop, options);
            var (text, ids) = (new StringBuilder(), new List<int>());
            while (true)
            {
                var piece = pieces.Next();
                text.Append(piece.Text);
                ids.Add(piece.TokenId);
                if (piece.FinishReason is { } finish)
                {
                    return new GenerationResult(text.ToString(), ids, finish, piece.Statistics!);
                }
            }
        }
        finally
        {
            _pool.Return(session);
        }
    }

    private async IAsyncEnumerable<GeneratedPiece> Stream(
        int[] tokens, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<GeneratedPiece>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var model = Task.Run(() => Write(tokens, options, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (channel.Reader.TryRead(out var piece))
                {
                    yield return piece;
                }
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await model.ConfigureAwait(false); // its session is back in the pool before the caller goes on
        }
    }

    // Runs the model on a thread of its own; whatever goes wrong reaches the reader through the channel.
    private async Task Write(int[] tokens, GenerationOptions options, ChannelWriter<GeneratedPiece> writer, CancellationToken cancellation)
    {
        Exception? failure = null;
        try
        {
            var session = await _pool.RentAsync(cancellation).ConfigureAwait(false);
            try
            {
                using var loop = Loop(session, tokens, options, cancellation);
                var pieces = Pieces(loop, options);
                GeneratedPiece piece;
                do
                {
                    piece = pieces.Next();
                    await writer.WriteAsync(piece, cancellation).ConfigureAwait(false);
                }
                while (piece.FinishReason is null);
            }
            finally
            {
                _pool.Return(session);
            }
        }
        catch (Exception e)
        {
            failure = e;
        }
        writer.Complete(failure);
    }

    private TokenLoop Loop(DecoderSession session, int[] tokens, GenerationOptions options, CancellationToken cancellation) =>
        new(session, tokens, options, _package.Config.EndTokens, options.Grammar?.Begin(Vocabulary), cancellation);

    private PieceLoop Pieces(TokenLoop loop, GenerationOptions options) => new(loop, new TextStream(TokenBytes, options.StopStrings));

    internal int[] Prepare(IReadOnlyList<int> prompt, GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options.Validate(VocabularySize);
        return Checked([.. prompt]);
    }

    internal int[] Prepare(string prompt, GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options.Validate(VocabularySize);
        int[] text = Encode(prompt);
        if (!(options.AddBeginOfSequence ?? _package.AddBeginOfSequence))
        {
            return Checked(text);
        }
        int begin = _package.BeginToken ?? throw new ArgumentException(
            $"{nameof(options.AddBeginOfSequence)} is true, but the package names no beginning-of-sequence token.");
        return Checked([begin, .. text]);
    }

    private int[] Checked(int[] tokens)
    {
        if (tokens.Length == 0)
        {
            throw new ArgumentException("The prompt has no tokens; the model needs at least one to continue.");
        }
        if (tokens.Length >= ContextLength)
        {
            throw new PromptTooLongException(tokens.Length, ContextLength);
        }
        int wrong = Array.FindIndex(tokens, id => id < 0 || id >= VocabularySize);
        return wrong < 0 ? tokens : throw new ArgumentException(
            $"Token {wrong} of the prompt is {tokens[wrong]}; ids go from 0 to {VocabularySize - 1}.");
    }
}
