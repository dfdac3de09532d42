using System.Text;
using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>
/// A package's chat template, where Hugging Face keeps it: the file <c>chat_template.jinja</c>, or else <c>chat_template</c> of
/// <c>tokenizer_config.json</c>, a text or a list of named ones, of which the default counts.
/// </summary>
internal static class ChatTemplateFile
{
    public const string FileName = "chat_template.jinja";

    private const string Key = "chat_template";
    private static readonly string[] TokenNames = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <returns>Null where the package has no template.</returns>
    /// <exception cref="CheckpointException">The template is damaged, or is no template.</exception>
    public static ChatTemplate? Load(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (File.Exists(file))
        {
            return Create(Read(file), folder, file);
        }
        var settings = JsonFile.Open(Path.Combine(folder, ModelPackage.TokenizerConfigName));
        return Find(settings) is string source ? Create(source, folder, $"{settings.FilePath}: {Key}") : null;
    }

    /// <summary>The special tokens that <c>tokenizer_config.json</c> names, by their part: <c>bos_token</c> and so on.</summary>
    public static IReadOnlyDictionary<string, string> SpecialTokens(string folder)
    {
        var settings = JsonFile.Open(Path.Combine(folder, ModelPackage.TokenizerConfigName));
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in TokenNames.Where(name => settings.Find(name) is not null))
        {
            tokens[name] = settings.Text(settings.Find($"{name}.content") is null ? name : $"{name}.content");
        }
        return tokens;
    }

    private static string? Find(JsonFile settings)
    {
        if (settings.Find(Key) is not { ValueKind: JsonValueKind.Array })
        {
            return settings.Find(Key) is null ? null : settings.Text(Key);
        }
        var named = settings.Items(Key).Select(item => (Name: item.Text("name"), Template: item.Text("template"))).ToList();
        string? template = named.Find(item => item.Name == "default").Template;
        settings.Require(template is not null, Key, $"is a list of {string.Join(", ", named.Select(item => $"\"{item.Name}\""))}; expected one named \"default\"");
        return template;
    }

    private static ChatTemplate Create(string source, string folder, string origin)
    {
        try
        {
            return new ChatTemplate(source, SpecialTokens(folder));
        }
        catch (ArgumentException e)
        {
            throw new CheckpointException($"{origin}: {e.Message}", e);
        }
    }

    private static string Read(string file)
    {
        try
        {
            long size = new FileInfo(file).Length;
            return size <= 4 * ChatTemplate.MaxLength ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file)).TrimStart('\uFEFF')
                : throw new CheckpointException($"{file}: {size} bytes; a chat template has at most {ChatTemplate.MaxLength} characters.");
        }
        catch (DecoderFallbackException e)
        {
            throw new CheckpointException($"{file}: not UTF-8. Write the file again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{file}: cannot be read: {e.Message}", e);
        }
    }
}
