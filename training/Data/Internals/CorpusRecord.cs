using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Data.Internals;

/// <summary>What <c>corpus.json</c> in a cache folder remembers of the text.</summary>
internal sealed record CorpusRecord(string Fingerprint, string Description, int TrainDocuments, int ValidationDocuments,
    long TrainTokens, long ValidationTokens, long TrainBytes, long ValidationBytes)
{
    private const string FileName = "corpus.json";

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
    };

    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Format) + "\n");

    public static CorpusRecord Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        try
        {
            return JsonSerializer.Deserialize<CorpusRecord>(File.ReadAllText(file), Format) ?? throw new JsonException("it holds null.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: line {e.LineNumber + 1}: not a corpus record: {e.Message}", e);
        }
    }
}
