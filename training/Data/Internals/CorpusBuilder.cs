using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Data.Internals;

/// <summary>Makes the files of a prepared corpus: the tokenizer, the shards of both sides, the record.</summary>
internal sealed class CorpusBuilder
{
    public const string TrainName = "train", ValidationName = "validation";

    private const int DocumentsAtOnce = 1024, TokensPerShard = 1 << 26;

    private readonly CorpusOptions _options;
    private readonly string _name;
    private readonly DocumentSplit _split;

    public CorpusBuilder(CorpusOptions options, string name, DocumentSplit split)
    {
        (_options, _name, _split) = (options, name, split);
        string tokenizer = options.TokenizerPath is null
            ? $"bpe {options.VocabularySize} {string.Join(' ', CorpusOptions.SpecialTokens)}"
            : Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(TokenizerFile.Load(options.TokenizerPath).FilePath)));
        string identity = string.Create(CultureInfo.InvariantCulture, $"format 1|{split.Fingerprint}|{options.ValidationFraction:R}|{tokenizer}");
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)));
    }

    /// <summary>Names text, split and tokenizer.</summary>
    public string Fingerprint { get; }

    public CorpusRecord Build(string folder, IProgress<string>? progress, CancellationToken cancellation)
    {
        progress?.Report($"Corpus: {_name}, {Megabytes(_split.Bytes)}");
        TokenizerFile tokenizer = MakeTokenizer(folder, progress, cancellation);
        var train = Encode(tokenizer, _split.Train(), folder, TrainName, cancellation);
        var validation = Encode(tokenizer, _split.Validation(), folder, ValidationName, cancellation);
        string description = string.Create(CultureInfo.InvariantCulture,
            $"{train.Documents + validation.Documents:N0} documents ({Megabytes(train.Bytes + validation.Bytes)}) from {_name}; "
            + $"{validation.Documents:N0} of them ({Megabytes(validation.Bytes)}) held out; {tokenizer.VocabularySize:N0} tokens.");
        progress?.Report($"Tokenised: {train.Tokens:N0} training and {validation.Tokens:N0} validation tokens");
        var record = new CorpusRecord(Fingerprint, description, train.Documents, validation.Documents,
            train.Tokens, validation.Tokens, train.Bytes, validation.Bytes);
        record.Write(folder);
        return record;
    }

    private TokenizerFile MakeTokenizer(string folder, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (_options.TokenizerPath is not null)
        {
            TokenizerFile given = TokenizerFile.Load(_options.TokenizerPath);
            if (!given.SpecialTokens.ContainsKey(CorpusOptions.Separator))
            {
                throw new CheckpointException($"{given.FilePath}: no special token {CorpusOptions.Separator} in added_tokens; documents are separated by it.");
            }
            File.Copy(given.FilePath, Path.Combine(folder, "tokenizer.json"));
            return given;
        }
        BpeVocabulary vocabulary = BpeTrainer.Train(_split.Train(), _options.VocabularySize, CorpusOptions.SpecialTokens, progress, cancellation);
        if (!vocabulary.Complete)
        {
            progress?.Report($"The text has only {vocabulary.Tokens.Count:N0} tokens' worth of repeated pairs; the vocabulary is that, not {_options.VocabularySize:N0}.");
        }
        vocabulary.Write(folder, _options.ModelMaxLength);
        return TokenizerFile.Load(folder);
    }

    private static (long Tokens, int Documents, long Bytes) Encode(TokenizerFile tokenizer, IEnumerable<string> documents,
        string folder, string name, CancellationToken cancellation)
    {
        int separator = tokenizer.SpecialTokens[CorpusOptions.Separator], count = 0;
        long bytes = 0;
        using var writer = new ShardWriter(folder, name, tokenizer.VocabularySize <= 1 << 16 ? 2 : 4, TokensPerShard);
        writer.Write([separator]);
        foreach (string[] some in documents.Chunk(DocumentsAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            var encoded = new List<int>[some.Length];
            // Special tokens spelled in a document are text there: only the pipeline separates documents.
            Parallel.For(0, some.Length, i =>
            {
                var ids = new List<int>(some[i].Length / 3 + 1);
                tokenizer.EncodeText(some[i], ids);
                ids.Add(separator);
                encoded[i] = ids;
            });
            foreach (List<int> ids in encoded)
            {
                writer.Write(CollectionsMarshal.AsSpan(ids));
            }
            count += some.Length;
            bytes += some.Sum(document => (long)Encoding.UTF8.GetByteCount(document));
        }
        writer.Complete();
        return (writer.Count, count, bytes);
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.##} MB");
}
