using System.CommandLine;
using LatentMoE.Runtime;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Cli;

/// <summary>The options that say which package to load, and how.</summary>
internal static class ModelArguments
{
    public static readonly Option<string> Model =
        new("--model") { Description = "The package folder, e.g. artifacts/models/tiny-f32.", Required = true };

    private static readonly Option<Device> On = Of("--device", "Where to run.", Device.Auto);
    private static readonly Option<int?> Threads = Of<int?>("--threads", "Threads inside an operator.");
    private static readonly Option<string?> Operators = Of<string?>("--operators", "The native operator library; \"none\" for standard operators.");

    public static IReadOnlyList<Option> All { get; } = [Model, On, Threads, Operators];

    public static Option<T> Of<T>(string name, string description) => new(name) { Description = description };

    public static Option<T> Of<T>(string name, string description, T fallback) =>
        new(name) { Description = description, DefaultValueFactory = _ => fallback };

    /// <summary>Adds options to a command; one option may belong to several.</summary>
    public static Command With(this Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
        return command;
    }

    public static LanguageModelOptions Options(ParseResult arguments, ILogger? logger = null)
    {
        string? library = arguments.GetValue(Operators);
        return new LanguageModelOptions
        {
            Device = arguments.GetValue(On),
            Threads = arguments.GetValue(Threads),
            MaxConcurrency = 1,
            OperatorLibrary = library == "none" ? null : library,
            UseOperatorLibrary = library != "none",
            Logger = logger,
        };
    }

    /// <inheritdoc cref="LanguageModel.Load"/>
    public static LanguageModel Load(ParseResult arguments, ILogger? logger = null) =>
        LanguageModel.Load(arguments.GetValue(Model)!, Options(arguments, logger));
}
