using System.CommandLine;
using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary>The option that names a chat template in place of the package's own.</summary>
internal static class TemplateArgument
{
    public static readonly Option<string?> File =
        new("--chat-template") { Description = "A file with the Jinja template that writes conversations; default the package's own." };

    /// <summary>The template's text; null where no file is given.</summary>
    public static string? Text(ParseResult arguments) => arguments.GetValue(File) is { } file ? TextFile.Read(file, "a chat template") : null;

    /// <exception cref="ArgumentException">The template is none, or there is none.</exception>
    public static ChatTemplate Template(ParseResult arguments, LanguageModel model)
    {
        if (Text(arguments) is not { } text)
        {
            return model.ChatTemplate ?? throw new ArgumentException(
                $"{model.Folder}: the package has no chat template. Give one with {File.Name}, or continue text with latentmoe generate.");
        }
        try
        {
            return model.CreateChatTemplate(text);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{arguments.GetValue(File)}: {e.Message}", e);
        }
    }
}
