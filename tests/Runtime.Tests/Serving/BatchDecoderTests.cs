using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Serving;
using LatentMoE.Runtime.Tests.Decoding;

namespace LatentMoE.Runtime.Tests.Serving;

[Collection(nameof(TestPackages))]
public class BatchDecoderTests
{
    /// <summary>Family, with the operator library or by the bodies, cache in float16.</summary>
    public static TheoryData<string, bool> Graphs { get; } = new()
    {
        { "LatentMoE", true }, { "LatentMoE", false }, { "LatentDense", true }, { "Llama", true }, { "Glm4Moe", true },
    };

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Run_RandomRowsOfRandomLengths_GivesTheLogitsOfEachSequenceAlone(string family, bool library)
    {
        using var model = TestPackages.Load(family, new() { Device = Device.Cpu, Threads = 2, UseOperatorLibrary = library });
        var graph = model.Pool.Graph;
        using var batch = new BatchDecoder(graph, rows: 6, maxTokens: 96, maxLogits: 96);
        var sequences = Enumerable.Range(0, 6).Select(_ => new List<int>()).ToArray();
        var random = new Random(3);
        for (int run = 0; run < 40; run++)
        {
            int first = random.Next(6), rows = batch.Ragged ? 1 + random.Next(6 - first) : 1, widest = run % 3 == 0 ? 1 : 1 + random.Next(12);
            var plan = new RowTokens[rows];
            for (int row = 0; row < rows; row++)
            {
                var sequence = sequences[first + row];
                // A row now and then stands idle, or forgets some of its tokens.
                int count = batch.Ragged && random.Next(4) == 0 ? 0 : 1 + random.Next(widest), position = Math.Max(0, sequence.Count - random.Next(3));
                position = Math.Min(position, TestPackages.Context - 1 - count);
                int[] tokens = [.. Enumerable.Range(0, count).Select(_ => random.Next(2, 272))];
                plan[row] = new RowTokens(tokens, position);
                if (count > 0)
                {
                    sequence.RemoveRange(position, sequence.Count - position);
                    sequence.AddRange(tokens);
                }
            }
            int keep = Math.Max(1, plan.Max(p => p.Count));
            batch.Run(first, plan, keep);
            Check(graph, batch, plan, sequences[first..(first + rows)], $"run {run}");
        }
    }

    [Fact]
    public void Run_MoreThanItsBuffersHold_Throws()
    {
        using var model = TestPackages.Load("LatentMoE");
        using var batch = new BatchDecoder(model.Pool.Graph, rows: 2, maxTokens: 8, maxLogits: 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Run(0, [new(new int[5], 0), new(new int[5], 0)], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Run(0, [new(new int[4], 0)], 4));
    }

    private static void Check(DecoderGraph graph, BatchDecoder batch, RowTokens[] plan, List<int>[] sequences, string what)
    {
        using var alone = new DecoderSession(graph);
        for (int row = 0; row < plan.Length; row++)
        {
            for (int back = 0; back < plan[row].Count; back++)
            {
                alone.Rewind(0);
                alone.Prefill([.. sequences[row][..^back]]);
                Logits.Match(alone.Logits, batch.Logits(row, back), $"{what}, row {row}, {back} before the last");
            }
        }
    }
}
