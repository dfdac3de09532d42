using System.Text;
using System.Text.Json.Nodes;
using LatentMoE.Runtime;
using Spectre.Console;

namespace LatentMoE.Cli;

/// <summary>Prints an answer as its pieces arrive.</summary>
internal interface IAnswerWriter
{
    void Write(GeneratedPiece piece);

    /// <summary>After the last piece, or after what came before a cancellation.</summary>
    void End();
}

/// <summary>The text, as it is written; on a terminal with the prompt before it and the speed after it.</summary>
internal sealed class TextAnswer : IAnswerWriter
{
    private readonly bool _terminal = !Console.IsOutputRedirected;
    private GeneratedPiece _last;

    public TextAnswer(string prompt, bool echo)
    {
        if (_terminal)
        {
            AnsiConsole.Write(new Text(prompt, new Style(decoration: Decoration.Bold)));
        }
        else if (echo)
        {
            Console.Out.Write(prompt);
        }
    }

    public void Write(GeneratedPiece piece)
    {
        Console.Out.Write(piece.Text);
        Console.Out.Flush();
        _last = piece;
    }

    public void End()
    {
        Console.Out.WriteLine();
        if (_terminal && _last.Statistics is { } s)
        {
            string reason = JsonOutput.Name(_last.FinishReason!.Value);
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]{s.PromptTokens} ({s.CachedTokens} cached) + {s.GeneratedTokens} tokens, {s.DecodeTokensPerSecond:F0} tokens/s, seed {s.Seed}, {reason}[/]");
        }
    }
}

/// <summary>Token ids on one line, separated by commas.</summary>
internal sealed class IdAnswer : IAnswerWriter
{
    public void Write(GeneratedPiece piece)
    {
        Console.Out.Write(piece.Index == 0 ? $"{piece.TokenId}" : $",{piece.TokenId}");
        Console.Out.Flush();
    }

    public void End() => Console.Out.WriteLine();
}

/// <summary>One JSON object at the end; none for an answer that was broken off.</summary>
internal sealed class JsonAnswer : IAnswerWriter
{
    private readonly StringBuilder _text = new();
    private readonly JsonArray _ids = [], _logprobs = [];
    private GeneratedPiece _last;

    public void Write(GeneratedPiece piece)
    {
        _text.Append(piece.Text);
        _ids.Add(piece.TokenId);
        if (piece.Logprobs is { } logprobs)
        {
            var top = logprobs.Top.Select(t => new JsonObject { ["token_id"] = t.TokenId, ["logprob"] = t.Logprob });
            _logprobs.Add(new JsonObject { ["token_id"] = piece.TokenId, ["logprob"] = logprobs.Logprob, ["top"] = new JsonArray([.. top]) });
        }
        _last = piece;
    }

    public void End()
    {
        if (_last is not { Statistics: { } s, FinishReason: { } reason })
        {
            return;
        }
        var answer = new JsonObject
        {
            ["text"] = _text.ToString(),
            ["token_ids"] = _ids,
            ["finish_reason"] = JsonOutput.Name(reason),
            ["usage"] = new JsonObject { ["prompt_tokens"] = s.PromptTokens, ["generated_tokens"] = s.GeneratedTokens },
            ["seed"] = s.Seed,
            ["prefill_seconds"] = s.PrefillTime.TotalSeconds,
            ["decode_seconds"] = s.DecodeTime.TotalSeconds,
            ["tokens_per_second"] = s.DecodeTokensPerSecond,
        };
        if (_logprobs.Count > 0)
        {
            answer["logprobs"] = _logprobs;
        }
        JsonOutput.Print(answer);
    }
}
