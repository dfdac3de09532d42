using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using LatentMoE.Runtime;
using Spectre.Console;
using static LatentMoE.Cli.ModelArguments;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe eval</c>: a package's loss on a text.</summary>
internal static class EvalCommand
{
    private const string Separator = "<|endoftext|>";

    private static readonly Option<string> TextOption = new("--text") { Description = $"A UTF-8 text, its documents separated by {Separator}.", Required = true };
    private static readonly Option<int?> Window =
        Of<int?>("--window", "Tokens that the model reads at once; default the context. A model does worse beyond the lengths that it was trained on.");
    private static readonly Option<int?> Stride =
        Of<int?>("--stride", "Tokens between the starts of windows; default the window, fewer give every token more before it.");
    private static readonly Option<long?> MaxTokens = Of<long?>("--max-tokens", "Predicted tokens at most, from the start of the text.");
    private static readonly Option<bool> Json = Of<bool>("--json", "Prints one JSON object.");

    public static Command Create()
    {
        var command = new Command("eval", "Measures a package's loss, perplexity and bits per byte over a text.")
        {
            TextOption, Window, Stride, MaxTokens, Json,
        }.With(All);
        command.SetAction((arguments, cancellation) => Task.FromResult(Run(arguments, cancellation)));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetValue(TextOption)!;
        var documents = TextFile.Parts(path, Separator, "text");
        var options = new EvaluationOptions { Window = arguments.GetValue(Window), Stride = arguments.GetValue(Stride), MaxTokens = arguments.GetValue(MaxTokens) };
        using var model = Load(arguments);
        long started = Stopwatch.GetTimestamp();
        var result = WithProgress(progress => model.Evaluate(documents, options, progress, cancellation));
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        int window = options.Window ?? model.ContextLength, stride = options.Stride ?? window;
        if (arguments.GetValue(Json))
        {
            JsonOutput.Print(new JsonObject
            {
                ["loss"] = result.Loss,
                ["perplexity"] = result.Perplexity,
                ["bits_per_byte"] = result.BitsPerByte,
                ["tokens"] = result.Tokens,
                ["bytes"] = result.Bytes,
                ["documents"] = result.Documents,
                ["window"] = window,
                ["stride"] = stride,
                ["seconds"] = seconds,
            });
            return 0;
        }
        var figures = new Figures($"{model.Name} on {path}");
        figures.Add("Loss", $"{result.Loss:0.0000} nats a token");
        figures.Add("Perplexity", $"{result.Perplexity:0.000}");
        figures.Add("Bits a byte", $"{result.BitsPerByte:0.0000}");
        figures.Add("Text", $"{result.Documents:N0} documents, {result.Tokens:N0} predicted tokens, {result.Bytes:N0} bytes");
        figures.Add("Windows", $"{window:N0} tokens, {stride:N0} apart");
        figures.Add("Time", $"{seconds:0.0} s, {result.Tokens / seconds:N0} tokens/s");
        figures.Print();
        return 0;
    }

    // A bar where somebody watches; standard error, so that the result can go to a file.
    private static EvaluationResult WithProgress(Func<IProgress<EvaluationProgress>?, EvaluationResult> evaluate)
    {
        if (Console.IsErrorRedirected)
        {
            return evaluate(null);
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => evaluate(new Bar(context.AddTask("reading"))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            (task.MaxValue, task.Value) = (value.Total, value.Tokens);
            task.Description = string.Create(CultureInfo.InvariantCulture, $"{value.Tokens:N0} tokens, loss {value.Loss:0.000}");
        }
    }
}
