using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class WholeModelTests
{
    // Rows of every matrix are whole blocks of 16, as int8 and int4 need.
    private static readonly ModelConfig Blocks = TestConfigs.LatentMoE with { MoeIntermediateSize = 48, KvLoraRank = 32 };

    public static TheoryData<string, bool> Precisions { get; } = new()
    {
        { "f32", false }, { "f16", false }, { "bf16", false }, { "int8", false }, { "int4", false }, { "f32", true }, { "bf16", true }, { "int4", true },
    };

    public static TheoryData<string> Configs { get; } = [.. TestConfigs.All.Keys];

    [Theory]
    [MemberData(nameof(Configs))]
    public void Library_EveryFamily_GivesTheLogitsOfTheBodies(string name)
    {
        using var model = new DecoderModel(TestConfigs.All[name]);
        using var bodies = model.WithBodies();
        using var library = model.WithLibrary();
        Follow(name, model.Config, bodies, library, columns: null);
        Follow(name, model.Config, bodies, library, columns: 40);
    }

    // The distance of neighbours in float16, as a share of the value, at most.
    private const double Ulp = 1.0 / 1024;

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Library_EveryPrecisionAndInstructionSet_GivesTheLogitsOfTheBodies(string precision, bool half)
    {
        using var model = new DecoderModel(Blocks, precision, half);
        using var bodies = model.WithBodies();
        foreach (string isa in OperatorsLibrary.InstructionSets)
        {
            using var library = model.WithLibrary(isa);
            Follow($"{precision} on {isa}", model.Config, bodies, library, columns: 40, half);
        }
    }

    [Fact]
    public void Library_RaggedPaddedBatch_GivesTheLogitsOfTheBodies()
    {
        using var model = new DecoderModel(TestConfigs.LatentMoE);
        using var bodies = model.WithBodies();
        using var library = model.WithLibrary();
        int[] lengths = [9, 4, 1, 7];
        foreach (bool left in (bool[])[true, false])
        {
            long[][] ids = Ids(model.Config, lengths.Length, 9), next = Ids(model.Config, lengths.Length, 1, seed: 2);
            bool Live(int row, int column) => left ? column >= 9 - lengths[row] : column < lengths[row];
            long[][] mask = Rows(lengths.Length, 9, (row, column) => Live(row, column) ? 1 : 0);
            long[][] positions = Rows(lengths.Length, 9, (row, column) => Live(row, column) ? column - (left ? 9 - lengths[row] : 0) : 0);
            long[][] later = [.. mask.Select(row => row.Append(1).ToArray())];
            foreach (int? columns in (int?[])[null, 12])
            {
                bodies.Start(lengths.Length, columns);
                library.Start(lengths.Length, columns);
                float[] expected = bodies.Step(ids, mask, positions), actual = library.Step(ids, mask, positions);
                int size = model.Config.VocabSize;
                for (int i = 0; i < lengths.Length * 9; i++)
                {
                    if (Live(i / 9, i % 9)) // pads give no logits that anyone reads
                    {
                        Close.Assert($"row {i / 9}, token {i % 9}, left {left}", expected.AsSpan(i * size, size), actual.AsSpan(i * size, size));
                    }
                }
                long[][] at = [.. lengths.Select(length => new[] { (long)length })];
                Close.Assert($"the next token, left {left}", bodies.Step(next, later, at), library.Step(next, later, at));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Library_RowAloneAndAmongSixteen_GivesTheSameLogits(string precision, bool half)
    {
        const int Batch = 17, Columns = 40;
        using var model = new DecoderModel(Blocks, precision, half);
        using var library = model.WithLibrary();
        using var alone = model.WithLibrary();
        int size = Blocks.VocabSize;
        library.Start(Batch, Columns);
        long[][] ids = Ids(Blocks, Batch, 30);
        // Every row has a length of its own; a token that is not there has position −1.
        int Length(int row) => 1 + row * 11 % 25;
        library.Step(ids, Rows(Batch, 30, (_, _) => 1), Rows(Batch, 30, (row, s) => s < Length(row) ? s : -1));
        long[][] next = Ids(Blocks, Batch, 1, seed: 3);
        float[] together = library.Step(next, Rows(Batch, 1, (_, _) => 1), Rows(Batch, 1, (row, _) => Length(row)));
        foreach (int row in (int[])[0, 5, 16])
        {
            alone.Start(1, Columns);
            alone.Append(0, ids[row][..Length(row)]);
            float[] logits = alone.Append(Length(row), next[row]);
            Close.Assert($"row {row} of {precision}, cache {(half ? "f16" : "f32")}", logits, together.AsSpan(row * size, size), half ? 1e-4 : 1e-5);
        }
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("int8")]
    [InlineData("int4")]
    public void Disable_AnyOperator_LeavesItToItsBody(string precision)
    {
        using var model = new DecoderModel(Blocks, precision);
        using var bodies = model.WithBodies();
        Assert.Equal(5, model.Operators.Count);
        foreach (string op in model.Operators)
        {
            using var library = model.WithLibrary(disable: op);
            Follow($"{precision} without {op}", model.Config, bodies, library, columns: null);
        }
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Library_Greedy_ChoosesTheTokensOfTheBodies(string precision, bool half)
    {
        using var model = new DecoderModel(Blocks, precision, half);
        using var bodies = model.WithBodies();
        using var library = model.WithLibrary();
        List<long> Greedy(Decoder decoder)
        {
            decoder.Start(1, 64);
            List<long> tokens = [.. Ids(Blocks, 1, 8)[0]];
            float[] logits = decoder.Append(0, [.. tokens]);
            while (tokens.Count < 60)
            {
                ReadOnlySpan<float> last = logits.AsSpan(logits.Length - Blocks.VocabSize);
                tokens.Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(last));
                logits = decoder.Append(tokens.Count - 1, [tokens[^1]]);
            }
            return tokens;
        }
        Assert.Equal(Greedy(bodies), Greedy(library));
    }

    // Whether a value that lay at the middle of two of float16 was rounded the other way, in what a step adds to the cache: few are.
    private static bool Rounded(string name, Decoder bodies, Decoder library)
    {
        int different = 0, all = 0;
        foreach (var (expected, actual) in bodies.Cached().Zip(library.Cached()))
        {
            Close.Assert(name, expected, actual, Ulp);
            different += expected.Floats.Zip(actual.Floats, (a, b) => a.Equals(b) ? 0 : 1).Sum();
            all += expected.Floats.Length;
        }
        Assert.True(different <= 0.01 * all, $"{name}: {different} of {all} values differ");
        return different > 0;
    }

    // A prompt, a chunk, single tokens; two rows, but for the twins: GroupQueryAttention takes no chunk of more than one.
    private static void Follow(string name, ModelConfig config, Decoder bodies, Decoder library, int? columns, bool half = false)
    {
        int batch = config.IsLatent ? 2 : 1;
        bodies.Start(batch, columns);
        library.Start(batch, columns);
        long[][] ids = Ids(config, batch, 34);
        int start = 0;
        foreach (int count in (int[])[17, 13, 1, 1, 1, 1])
        {
            long[][] part = [.. ids.Select(row => row[start..(start + count)])];
            string step = $"{name}, {count} tokens from {start}, cache {(columns is null ? "growing" : "shared")}";
            if (half)
            {
                library.TakeCache(bodies);
            }
            float[] expected = bodies.Append(start, part), actual = library.Append(start, part);
            Close.Assert($"logits of {step}", expected, actual, half && Rounded($"cache of {step}", bodies, library) ? 1e-4 : 1e-5);
            start += count;
        }
    }

    private static long[][] Ids(ModelConfig config, int rows, int count, int seed = 1)
    {
        var random = new RandomNumbers(seed);
        return Rows(rows, count, (_, _) => random.Next(2, config.VocabSize));
    }

    private static long[][] Rows(int rows, int count, Func<int, int, long> value) =>
        [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, count).Select(i => value(row, i)).ToArray())];
}
