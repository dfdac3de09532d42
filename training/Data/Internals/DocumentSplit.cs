using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Data.Internals;

/// <summary>
/// Which documents are held out: those whose text hashes below a limit. So the choice depends on the text alone,
/// equal documents are always on the same side, and adding documents moves none of the others.
/// A corpus of one document is cut in two instead, its end held out.
/// </summary>
internal sealed class DocumentSplit
{
    private readonly CorpusSource _source;
    private readonly ulong _limit;
    private readonly int _cut;

    private DocumentSplit(CorpusSource source, ulong limit, int cut, string fingerprint, long bytes)
    {
        (_source, _limit, _cut, Fingerprint, Bytes) = (source, limit, cut, fingerprint, bytes);
    }

    /// <summary>SHA-256 over all documents in order, in hexadecimal.</summary>
    public string Fingerprint { get; }

    /// <summary>UTF-8 bytes of all documents.</summary>
    public long Bytes { get; }

    /// <summary>Reads the corpus once.</summary>
    /// <exception cref="CheckpointException">The corpus is empty or too small to be split.</exception>
    public static DocumentSplit Of(CorpusSource source, double validationFraction, CancellationToken cancellation)
    {
        if (!(validationFraction is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(validationFraction), validationFraction, "Expected a share between 0 and 1.");
        }
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ulong limit = (ulong)(validationFraction * ulong.MaxValue), smallest = ulong.MaxValue, largest = 0;
        long bytes = 0;
        string? first = null;
        foreach (string document in source.Documents())
        {
            cancellation.ThrowIfCancellationRequested();
            first ??= document;
            byte[] hash = Hash(document, out int length);
            all.AppendData(hash);
            ulong place = Place(hash);
            (smallest, largest, bytes) = (Math.Min(smallest, place), Math.Max(largest, place), bytes + length);
        }
        if (first is null)
        {
            throw new CheckpointException($"{source.Location}: the corpus is empty. Expected text with at least a few thousand words: put text there, or name another file or folder.");
        }
        int cut = smallest == largest ? CutPoint(source, first, validationFraction) : 0;
        limit = Math.Clamp(limit, smallest + 1, Math.Max(largest, smallest + 1));
        return new DocumentSplit(source, limit, cut, Convert.ToHexStringLower(all.GetHashAndReset()), bytes);
    }

    public IEnumerable<string> Train() => _cut > 0 ? [One()[.._cut].TrimEnd()] : _source.Documents().Where(document => !IsHeldOut(document));

    public IEnumerable<string> Validation() => _cut > 0 ? [One()[_cut..].TrimStart()] : _source.Documents().Where(IsHeldOut);

    private string One() => _source.Documents().First();

    private bool IsHeldOut(string document) => Place(Hash(document, out _)) < _limit;

    // At the end of a line, else of a word, before the held-out share begins.
    private static int CutPoint(CorpusSource source, string text, double validationFraction)
    {
        int wanted = (int)(text.Length * (1 - validationFraction));
        int cut = text.LastIndexOf('\n', wanted);
        cut = cut < wanted / 2 ? text.LastIndexOf(' ', wanted) : cut;
        return cut > 0 ? cut : throw new CheckpointException($"{source.Location}: one document of {text.Length} characters cannot be split into training and validation text. "
            + $"Give more text: several documents, separated by {CorpusOptions.Separator}, or one with many lines.");
    }

    private static byte[] Hash(string document, out int length)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(document);
        length = utf8.Length;
        return SHA256.HashData(utf8);
    }

    private static ulong Place(byte[] hash) => BinaryPrimitives.ReadUInt64BigEndian(hash);
}
