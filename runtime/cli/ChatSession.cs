using System.Text;
using LatentMoE.Runtime;
using Spectre.Console;

namespace LatentMoE.Cli;

/// <summary>Reads questions and commands line by line and writes answers, until /exit or the end of the input.</summary>
internal sealed class ChatSession(InferenceEngine engine, Conversation conversation, GenerationOptions options, bool json)
{
    private const string Help = 
        "/reset forgets the conversation; /system TEXT sets what stands before it, without TEXT nothing; /exit ends; //TEXT says /TEXT.";
    private readonly bool _terminal = !Console.IsInputRedirected && !Console.IsOutputRedirected;

    /// <exception cref="ArgumentException">In a pipe: a command is unknown, or a prompt cannot be answered. On a terminal it is told, and the chat goes on.</exception>
    public async Task RunAsync()
    {
        using var interruption = new Interruption(Idle);
        Tell($"{engine.Model.Name} on {engine.Model.Device}. {Help} Ctrl-C stops an answer.");
        while (Ask() is { } line)
        {
            try
            {
                if (line.StartsWith('/') && !line.StartsWith("//", StringComparison.Ordinal))
                {
                    if (!Obey(line))
                    {
                        return;
                    }
                }
                else if (line.Trim().Length > 0)
                {
                    await AnswerAsync(line.StartsWith('/') ? line[1..] : line, interruption);
                }
            }
            catch (ArgumentException e) when (_terminal)
            {
                AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
            }
        }
    }

    // False where the chat ends.
    private bool Obey(string line)
    {
        string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        switch (parts[0])
        {
            case "/exit":
                return false;
            case "/reset":
                conversation.Reset();
                Tell("The conversation is forgotten.");
                return true;
            case "/system":
                conversation.System = parts.ElementAtOrDefault(1);
                Tell(conversation.System is null ? "Nothing stands before the conversation." : "Set, for the questions from now on.");
                return true;
            case "/help":
                Tell(Help);
                return true;
            default:
                throw new ArgumentException($"{parts[0]} is no command. {Help}");
        }
    }

    // What was written before an interruption stays part of the conversation.
    private async Task AnswerAsync(string question, Interruption interruption)
    {
        int[] prompt = conversation.Prompt(question);
        IAnswerWriter writer = json ? new JsonAnswer() : new TextAnswer("", echo: false);
        var answer = new StringBuilder();
        using var stop = new CancellationTokenSource();
        interruption.Begin(stop);
        try
        {
            await foreach (var piece in engine.GenerateAsync(prompt, options, stop.Token))
            {
                answer.Append(piece.Text);
                writer.Write(piece);
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            interruption.End();
        }
        writer.End();
        conversation.Add(question, answer.ToString());
    }

    private string? Ask()
    {
        if (_terminal)
        {
            AnsiConsole.Markup("[bold]> [/]");
        }
        return Console.ReadLine();
    }

    private bool Idle()
    {
        if (_terminal)
        {
            Tell("\n/exit ends the chat.");
            AnsiConsole.Markup("[bold]> [/]");
        }
        return _terminal;
    }

    private void Tell(string text)
    {
        if (_terminal)
        {
            AnsiConsole.MarkupLineInterpolated($"[grey]{text}[/]");
        }
    }
}
