using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Tests.ExportedModel;

namespace LatentMoE.Export.Tests.Parity;

/// <summary>However a caller keeps the cache and pads its rows, a row's logits are those of the row run alone.</summary>
public sealed class CacheModesTests(CacheModesTests.Models models) : IClassFixture<CacheModesTests.Models>
{
    private const int Room = 32;
    private static readonly long[] First = [1, 5, 9, 3, 2], Second = [4, 8, 6];
    private const long Next = 7;

    public static TheoryData<string, int> LatentModes => new() { { "latent", 0 }, { "latent", Room } };

    public static TheoryData<string, int> AllModes => new() { { "latent", 0 }, { "latent", Room }, { "llama", 0 }, { "llama", Room } };

    [Theory]
    [MemberData(nameof(AllModes))]
    public void PresentLength_IsTheLargerOfPastAndMask(string family, int length)
    {
        var model = models[family];
        var o = model.Run([First], [Ones(5)], [Range(0, 5)], length: length);
        Assert.Equal(length == 0 ? 5 : Room, o.Columns);
        o = model.Run([[Next]], [Ones(6)], [[5]], o);
        Assert.Equal(length == 0 ? 6 : Room, o.Columns);
        Check("token", Alone(model, First).Token, o.At(0, 0));
    }

    [Theory]
    [MemberData(nameof(LatentModes))]
    public void LeftPads_GiveTheRowsAlone(string family, int length)
    {
        var model = models[family];
        var o = model.Run([First, [0, 0, .. Second]], [Ones(5), [0, 0, 1, 1, 1]], [Range(0, 5), [1, 1, 0, 1, 2]], length: length);
        Check("first prompt", Alone(model, First).Prompt, o.At(0, 4));
        Check("second prompt", Alone(model, Second).Prompt, o.At(1, 4));
        o = model.Run([[Next], [Next]], [Ones(6), [0, 0, 1, 1, 1, 1]], [[5], [3]], o);
        Check("first token", Alone(model, First).Token, o.At(0, 0));
        Check("second token", Alone(model, Second).Token, o.At(1, 0));
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public void RightPads_GiveTheRowsAlone(string family, int length)
    {
        var model = models[family];
        var o = model.Run([First, [.. Second, 0, 0]], [Ones(5), [1, 1, 1, 0, 0]], [Range(0, 5), [0, 1, 2, 0, 0]], length: length);
        Check("first prompt", Alone(model, First).Prompt, o.At(0, 4));
        Check("second prompt", Alone(model, Second).Prompt, o.At(1, 2));
        o = model.Run([[Next], [Next]], [Ones(6), [1, 1, 1, 0, 0, 1]], [[5], [3]], o);
        Check("first token", Alone(model, First).Token, o.At(0, 0));
        Check("second token", Alone(model, Second).Token, o.At(1, 0));
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("llama")]
    public void RaggedRowsOfAnEngine_GiveTheRowsAlone(string family)
    {
        var model = models[family];
        var a = model.Run([First], [Ones(5)], [Range(0, 5)], length: Room);
        var b = model.Run([Second], [Ones(3)], [Range(0, 3)], length: Room);
        var joined = a with { Cache = [.. a.Cache.Zip(b.Cache, (x, y) => x.Concat(y).ToArray())] };
        var o = model.Run([[Next], [Next]], [[1], [1]], [[5], [3]], joined);
        Check("first token", Alone(model, First).Token, o.At(0, 0));
        Check("second token", Alone(model, Second).Token, o.At(1, 0));
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("llama")]
    public void PrefillInChunks_GivesTheRowAlone(string family)
    {
        var model = models[family];
        var chunk = model.Run([First[..2]], [Ones(2)], [[0, 1]], length: Room);
        var rest = model.Run([First[2..]], [Ones(5)], [[2, 3, 4]], chunk);
        Check("prompt", Alone(model, First).Prompt, rest.At(0, 2));
    }

    [Fact]
    public void LeftPadsInChunks_UpToAFullBuffer()
    {
        var model = models["latent"];
        long[] other = [.. Enumerable.Range(0, Room).Select(i => 1L + (i * 7 + 3) % 9)], pads = [0, 0, 0, 0];
        const int Half = Room / 2, Cut = Half - 4;
        var o = model.Run([other[..Half], [.. pads, .. Long[..Cut]]], [Ones(Half), [.. pads, .. Ones(Cut)]], [Range(0, Half), [1, 1, 1, 1, .. Range(0, Cut)]], length: Room);
        o = model.Run([other[Half..], Long[Cut..]], [Ones(Room), [.. pads, .. Ones(Long.Length)]], [Range(Half, Room), Range(Cut, Long.Length)], o);
        Check("last token", Whole(model), o.At(1, Half - 1));
    }

    [Fact]
    public void StaticMaskOfFullLength_GivesTheRowAlone()
    {
        var model = models["latent"];
        const int Full = 48;
        int n = Long.Length;
        long[] Mask(int used) => [.. Ones(used), .. new long[Full - used]];
        var o = model.Run([Long[..20]], [Mask(20)], [Range(0, 20)], length: Full);
        o = model.Run([Long[20..(n - 1)]], [Mask(n - 1)], [Range(20, n - 1)], o);
        o = model.Run([Long[(n - 1)..]], [Mask(n)], [[n - 1]], o);
        Check("last token", Whole(model), o.At(0, 0));
    }

    [Fact]
    public void IdleRow_ChangesNothingAndWritesNothing()
    {
        var model = models["latent"];
        int n = Long.Length;
        var o = model.Run([Long[..(n - 1)], [.. Enumerable.Repeat(3L, n - 1)]], [Ones(n - 1), Ones(n - 1)], [Range(0, n - 1), [.. Enumerable.Repeat(-1L, n - 1)]], length: Room);
        o = model.Run([[Long[n - 1]], [4]], [[1], [1]], [[n - 1], [-1]], o);
        Check("last token", Whole(model), o.At(0, 0));
        Assert.All(o.Cache, cache => Assert.All(cache[(cache.Length / 2)..], v => Assert.Equal(0f, v)));
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("llama")]
    public void RowsOfDifferentLengths_GiveTheRowsAlone(string family)
    {
        var model = models[family];
        long[][] rows = [Long[..9], Long[3..4], Long[5..12], Long[..2]];
        int longest = rows.Max(r => r.Length);
        long[] Padded(long[] row, Func<int, long> value) => [.. Enumerable.Range(0, longest).Select(t => t < row.Length ? value(t) : 0)];
        var o = model.Run([.. rows.Select(r => Padded(r, t => r[t]))], [.. rows.Select(r => Padded(r, _ => 1))], [.. rows.Select(r => Padded(r, t => t))]);
        for (int i = 0; i < rows.Length; i++)
        {
            var alone = model.Run([rows[i]], [Ones(rows[i].Length)], [Range(0, rows[i].Length)]);
            Check($"row {i}", alone.At(0, rows[i].Length - 1), o.At(i, rows[i].Length - 1));
        }
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("llama")]
    public void NumLogitsToKeep_KeepsTheLast(string family)
    {
        var model = models[family];
        var all = model.Run([First], [Ones(5)], [Range(0, 5)]);
        var two = model.Run([First], [Ones(5)], [Range(0, 5)], keep: 2);
        Assert.Equal((5, 2), (all.Tokens, two.Tokens));
        Check("fourth token", all.At(0, 3), two.At(0, 0));
        Check("fifth token", all.At(0, 4), two.At(0, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void NumLogitsToKeep_NoneOrMoreThanThereAre_KeepsAll(long keep)
    {
        var model = models["latent"];
        Assert.Equal(model.Run([First], [Ones(5)], [Range(0, 5)]).Logits, model.Run([First], [Ones(5)], [Range(0, 5)], keep: keep).Logits);
    }

    private static long[] Long => [.. Enumerable.Range(0, Room - 4).Select(i => 1L + (i * 5 + 1) % 9)];

    private static long[] Ones(int n) => [.. Enumerable.Repeat(1L, n)];

    private static long[] Range(int start, int end) => [.. Enumerable.Range(start, end - start).Select(i => (long)i)];

    private static float[] Whole(ExportedModel model) => model.Run([Long], [Ones(Long.Length)], [Range(0, Long.Length)]).At(0, Long.Length - 1);

    private static (float[] Prompt, float[] Token) Alone(ExportedModel model, long[] ids)
    {
        Step o = model.Run([ids], [Ones(ids.Length)], [Range(0, ids.Length)]);
        return (o.At(0, ids.Length - 1), model.Run([[Next]], [Ones(ids.Length + 1)], [[ids.Length]], o).At(0, 0));
    }

    private static void Check(string what, float[] expected, float[] actual) => Close.Assert($"logits of the {what}", expected, actual, 3e-6);

    public sealed class Models : IDisposable
    {
        private readonly Dictionary<string, ExportedModel> models = new() { ["latent"] = new(TestConfigs.LatentMoE), ["llama"] = new(TestConfigs.Llama) };

        internal ExportedModel this[string family] => models[family];

        public void Dispose()
        {
            foreach (var model in models.Values)
            {
                model.Dispose();
            }
        }
    }
}
