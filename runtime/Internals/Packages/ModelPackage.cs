using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>A package folder that was found whole: its configuration, its tokenizer, and the path of its graph.</summary>
internal sealed record ModelPackage(string Folder, GenAIConfig Config, TokenizerFile Tokenizer, bool AddBeginOfSequence, int? BeginToken)
{
    public const string TokenizerConfigName = "tokenizer_config.json";

    private const string TokenizerName = "tokenizer.json";

    public string ModelPath => Path.Combine(Folder, Config.ModelFile);

    /// <summary>The error for a context length that the configuration claims and the model does not have.</summary>
    public CheckpointException WrongContext(string problem, Exception? cause = null)
    {
        string message =
            $"{Path.Combine(Folder, GenAIConfig.FileName)}: model.context_length is {Config.ContextLength}, but {problem}. " +
            $"Export the package again, or set {nameof(LanguageModelOptions)}.{nameof(LanguageModelOptions.ContextLength)} to a length that it has.";
        return cause is null ? new CheckpointException(message) : new CheckpointException(message, cause);
    }

    /// <exception cref="CheckpointException">The folder or one of its files is missing, damaged, or does not fit the others.</exception>
    public static ModelPackage Open(string folder)
    {
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException(
                $"{folder}: no such folder. Expected a model package; the Export target writes them under artifacts/models.");
        }
        Require(folder, GenAIConfig.FileName);
        var config = GenAIConfig.Load(folder);
        foreach (string name in new[] { config.ModelFile, config.ModelFile + ".data", TokenizerName, TokenizerConfigName })
        {
            Require(folder, name);
        }
        CheckSizes(folder);
        var tokenizer = TokenizerFile.Load(Path.Combine(folder, TokenizerName));
        if (tokenizer.VocabularySize > config.VocabularySize)
        {
            throw new CheckpointException(
                $"{tokenizer.FilePath}: the tokenizer has {tokenizer.VocabularySize} tokens, more than model.vocab_size " +
                $"({config.VocabularySize}) in {GenAIConfig.FileName}: they belong to different models.");
        }
        var settings = JsonFile.Open(Path.Combine(folder, TokenizerConfigName));
        int? begin = BeginOfSequence(settings, tokenizer) ?? config.BeginToken;
        // Where the settings are silent, tokenizer.json's post_processor says it.
        bool add = settings.Flag("add_bos_token", begin is int id && tokenizer.BeginTokens.Contains(id));
        settings.Require(!add || begin is not null, "add_bos_token", "is true, but no bos_token is named");
        return new ModelPackage(folder, config, tokenizer, add, begin);
    }

    private static void Require(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: no such file. The package is incomplete: copy it whole, or export it again.");
        }
    }

    // The sizes that manifest.json gives; a copy that broke off is found before ONNX Runtime reads past the end.
    private static void CheckSizes(string folder)
    {
        foreach (var (name, size, _) in ManifestCheck.Entries(folder))
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (!file.Exists || file.Length != size)
            {
                string found = file.Exists ? $"{file.Length} bytes" : "no such file";
                throw new CheckpointException(
                    $"{file.FullName}: {found}, but {ManifestCheck.FileName} says {size} bytes. The package is damaged: copy it again, or export it again.");
            }
        }
    }

    // A name, or an object with the name as its content, as Hugging Face writes either.
    private static int? BeginOfSequence(JsonFile settings, TokenizerFile tokenizer)
    {
        string key = settings.Find("bos_token.content") is null ? "bos_token" : "bos_token.content";
        if (settings.Find(key) is null)
        {
            return null;
        }
        string token = settings.Text(key);
        settings.Require(tokenizer.SpecialTokens.ContainsKey(token), key, $"is \"{token}\", which is no special token of {TokenizerName}");
        return tokenizer.SpecialTokens[token];
    }
}
