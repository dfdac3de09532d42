using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Data.Internals;
using LatentMoE.Training.Data.Stories;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Data;

/// <summary>
/// A corpus ready to train on: split by document, tokenised, memory-mapped. It lives in a cache folder named by its fingerprint,
/// is made once, and made again when damaged. The tokenizer is trained on the training side only.
/// </summary>
public sealed class PreparedCorpus : IDisposable
{
    private PreparedCorpus(string folder, CorpusRecord record, string source, bool fromCache)
    {
        TokenizerFolder = folder;
        Tokenizer = TokenizerFile.Load(folder);
        Train = TokenStream.Open(folder, CorpusBuilder.TrainName, record.TrainDocuments, record.TrainTokens, source);
        try
        {
            Validation = TokenStream.Open(folder, CorpusBuilder.ValidationName, record.ValidationDocuments, record.ValidationTokens, source);
        }
        catch
        {
            Train.Dispose();
            throw;
        }
        (TrainBytes, ValidationBytes, Fingerprint, Description) = (record.TrainBytes, record.ValidationBytes, record.Fingerprint, record.Description);
        FromCache = fromCache;
    }

    /// <summary>Holds the tokenizer files of a checkpoint folder.</summary>
    public string TokenizerFolder { get; }

    public TokenizerFile Tokenizer { get; }

    /// <summary>Less than what was asked for when the text gave out.</summary>
    public int VocabularySize => Tokenizer.VocabularySize;

    public TokenStream Train { get; }

    public TokenStream Validation { get; }

    /// <summary>UTF-8 bytes of the training documents.</summary>
    public long TrainBytes { get; }

    /// <summary>UTF-8 bytes of the held-out documents.</summary>
    public long ValidationBytes { get; }

    /// <summary>Equal for equal text, split and tokenizer.</summary>
    public string Fingerprint { get; }

    /// <summary>One sentence for logs and the model card.</summary>
    public string Description { get; }

    /// <summary>Whether an earlier run had made it.</summary>
    public bool FromCache { get; }

    /// <summary>Reads, splits and tokenises a corpus, or finds it in <paramref name="cacheFolder"/>.</summary>
    /// <exception cref="CheckpointException">The data or the tokenizer cannot be used; the message says where and why.</exception>
    public static PreparedCorpus Prepare(CorpusOptions options, string cacheFolder, IProgress<string>? progress = null,
        CancellationToken cancellation = default)
    {
        int smallest = BpeTrainer.SmallestVocabulary(CorpusOptions.SpecialTokens);
        if (options.TokenizerPath is null && options.VocabularySize < smallest)
        {
            throw new CheckpointException($"A vocabulary of {options.VocabularySize} tokens is too small; expected at least {smallest}: the special tokens and the 256 bytes.");
        }
        CorpusSource source = options.DataPath is null
            ? CorpusSource.Of("the built-in story generator", StoryGenerator.Generate(options.StorySeed, options.StoryBytes))
            : CorpusSource.Open(options.DataPath);
        var split = DocumentSplit.Of(source, options.ValidationFraction, cancellation);
        var builder = new CorpusBuilder(options, source.Name, split);
        string folder = Path.Combine(cacheFolder, builder.Fingerprint[..16]);
        PreparedCorpus corpus = TryOpen(folder, source.Location, progress) ?? Build(builder, folder, source.Location, progress, cancellation);
        var special = corpus.Tokenizer.SpecialTokens;
        TokenizerFileWriter.WriteConfig(folder, [.. CorpusOptions.SpecialTokens.Where(special.ContainsKey).Select(token => (token, special[token]))], options.ModelMaxLength);
        return corpus;
    }

    /// <summary>Copies the tokenizer files into a checkpoint folder.</summary>
    public void CopyTokenizerTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in TokenizerFileWriter.FileNames)
        {
            byte[] content = File.ReadAllBytes(Path.Combine(TokenizerFolder, name));
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(content));
        }
    }

    public void Dispose()
    {
        Train.Dispose();
        Validation.Dispose();
    }

    private static PreparedCorpus? TryOpen(string folder, string source, IProgress<string>? progress)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }
        try
        {
            return new PreparedCorpus(folder, CorpusRecord.Read(folder), source, fromCache: true);
        }
        catch (Exception e) when (e is CheckpointException or IOException)
        {
            progress?.Report($"The cached corpus is damaged and is made again: {e.Message}");
            Directory.Delete(folder, recursive: true);
            return null;
        }
    }

    private static PreparedCorpus Build(CorpusBuilder builder, string folder, string source, IProgress<string>? progress, CancellationToken cancellation)
    {
        string temporary = $"{folder}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(temporary);
            CorpusRecord record = builder.Build(temporary, progress, cancellation);
            if (!TryMove(temporary, folder))
            {
                // Another run prepared the same text meanwhile; a damaged folder is gone after TryOpen.
                if (TryOpen(folder, source, progress) is { } other)
                {
                    return other;
                }
                Directory.Move(temporary, folder);
            }
            return new PreparedCorpus(folder, record, source, fromCache: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{folder}: the tokenised corpus cannot be written: {e.Message} Free space or choose another folder.", e);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private static bool TryMove(string temporary, string folder)
    {
        try
        {
            Directory.Move(temporary, folder);
            return true;
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            return false;
        }
    }
}
