using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Export.Package;

namespace LatentMoE.Export.Sources;

/// <summary>
/// A model of random weights, to measure speed with. Its tokenizer reads text byte by byte; the tokens beyond the single bytes stand
/// for byte strings that no merge makes, so that whatever the model says can be written.
/// </summary>
internal sealed class RandomSource : ModelSource
{
    private const string Separator = "<|endoftext|>", Padding = "<|pad|>";
    private const int Bytes = 256, Specials = 2;

    public RandomSource(RandomModel random)
    {
        if (random.Config.VocabSize < Specials + Bytes)
        {
            throw new CheckpointException($"{random.Name}: vocab_size is {random.Config.VocabSize}; random weights take a tokenizer of bytes, "
                + $"which has {Specials + Bytes} tokens.");
        }
        Random = random;
        Config = random.Config with { BosTokenId = 0, EosTokenId = 0, PadTokenId = 1 };
        Weights = new RandomWeights(Config, random.Seed);
    }

    public override string Origin => Random.Name;
    public override ModelConfig Config { get; }
    public override IWeightSource Weights { get; }
    public override string? Checkpoint => null;
    public override RandomModel Random { get; }
    public override CheckpointSummary? Summary => null;

    public override TokenizerFiles WriteTokenizer(string package)
    {
        TokenizerFileWriter.Write(package, [Separator, Padding, .. Strings().Take(Config.VocabSize - Specials)], [], [Separator, Padding],
            Config.MaxPositionEmbeddings);
        File.WriteAllText(Path.Combine(package, "config.json"), Config.ToJson());
        var generation = new JsonObject
        {
            ["bos_token_id"] = Config.BosTokenId, ["eos_token_id"] = Config.EosTokenId, ["pad_token_id"] = Config.PadTokenId,
        };
        File.WriteAllText(Path.Combine(package, "generation_config.json"), generation.ToJsonString(PackageJson.Options) + "\n");
        return TokenizerFiles.Load(package, Config);
    }

    public override void Dispose()
    {
    }

    // All byte strings in the byte alphabet, shortest first.
    private static IEnumerable<string> Strings()
    {
        IEnumerable<string> symbols = [.. Enumerable.Range(0, Bytes).Select(value => ByteAlphabet.Symbol((byte)value))], strings = symbols;
        while (true)
        {
            foreach (string text in strings)
            {
                yield return text;
            }
            var shorter = strings;
            strings = shorter.SelectMany(text => symbols.Select(symbol => text + symbol));
        }
    }
}
