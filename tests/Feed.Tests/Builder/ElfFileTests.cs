using System.Buffers.Binary;
using System.Text;

namespace LatentMoE.Feed.Tests.Builder;

public sealed class ElfFileTests(ElfFileTests.Compiled compiled) : IClassFixture<ElfFileTests.Compiled>
{
    private const uint DynamicSymbols = 11, NeededVersions = 0x6ffffffe, SymbolVersions = 0x6fffffff;

    private readonly TemporaryFolder _folder = compiled.Folder;
    private readonly byte[] _user = File.ReadAllBytes(compiled.Objects.User);

    public sealed class Compiled : IDisposable
    {
        internal TemporaryFolder Folder { get; } = new();
        internal SharedObjects Objects { get; }

        public Compiled() => Objects = new SharedObjects(Folder);

        public void Dispose() => Folder.Dispose();
    }

    [Fact]
    public void Requires_VersionsOfTheFile_OnlyThose()
    {
        ElfFile file = new(_user, "libuser.so");

        Assert.True(file.Requires(SharedObjects.Version));
        Assert.True(file.Requires("OLD_1"));
        Assert.False(file.Requires("NEW_"));
    }

    [Fact]
    public void MakeWeak_UncalledSymbol_LoadsWithTheOlderLibrary()
    {
        Exception e = Assert.Throws<DllNotFoundException>(() => SharedObjects.Call(_folder["libuser.so"]));
        Assert.Contains(SharedObjects.Version, e.Message);
        byte[] before = [.. _user];
        ElfFile file = new(_user, "libuser.so");

        file.MakeWeak(SharedObjects.Version, SharedObjects.Symbol);

        Assert.False(file.Requires(SharedObjects.Version));
        Assert.True(file.Requires("OLD_1"));
        Assert.Equal(2, before.Zip(_user).Count(pair => pair.First != pair.Second));
        File.WriteAllBytes(_folder["libweak.so"], _user);
        Assert.Equal(1, SharedObjects.Call(_folder["libweak.so"]));
        Assert.Matches(@"NEW_2\s+Flags: WEAK", Command.Run("reading versions", "readelf", ["-VW", "libweak.so"], _folder.Path).Output);
    }

    [Fact]
    public void MakeWeak_AnotherSymbolOfTheVersion_NamesBothAndChangesNothing()
    {
        using TemporaryFolder folder = new();
        byte[] user = File.ReadAllBytes(new SharedObjects(folder, SharedObjects.TakesAnother).User);
        byte[] before = [.. user];

        FeedException e = Assert.Throws<FeedException>(
            () => new ElfFile(user, "libuser.so").MakeWeak(SharedObjects.Version, SharedObjects.Symbol));

        Assert.StartsWith("libuser.so: takes another of version NEW_2, beside uncalled", e.Message);
        Assert.Equal(before, user);
    }

    [Fact]
    public void Constructor_NoSharedObjectFor64Bits_SaysSo()
    {
        byte[] for32 = [.. _user];
        for32[4] = 1;
        foreach (byte[] bytes in (byte[][])[[], "\u007fELF"u8.ToArray(), Encoding.UTF8.GetBytes(new string('a', 100)), for32])
            Assert.Equal("libuser.so: not a shared object for 64-bit Linux", Refusal(bytes));
    }

    [Fact]
    public void Constructor_NoVersions_NamesTheSection()
    {
        Write32(Header(NeededVersions) + 4, 1);

        Assert.StartsWith("libuser.so: has no section of type 0x6ffffffe", Refusal(_user));
    }

    [Fact]
    public void Constructor_AnyTruncation_IsRefused()
    {
        for (int length = 0; length < _user.Length; length++)
            Assert.NotNull(Refusal(_user[..length]));
    }

    [Fact]
    public void Requires_ChainThatStands_IsRefused()
    {
        int needed = Contents(Header(NeededVersions)).Offset, entry = needed + (int)Read32(needed + 8);
        BinaryPrimitives.WriteUInt16LittleEndian(_user.AsSpan(needed + 2), ushort.MaxValue);
        Write32(entry + 12, 0);

        Assert.Contains("damaged", Refusal(_user));
    }

    [Fact]
    public void Requires_NameWithoutEnd_IsRefused()
    {
        (int offset, int size) = Contents(NamesOf(NeededVersions));
        _user.AsSpan(offset, size).Fill((byte)'a');

        Assert.Contains("damaged", Refusal(_user));
    }

    [Fact(Timeout = 60_000)]
    public Task Read_DamagedBytes_OnlyRefuses() => Task.Run(() =>
    {
        int[] places = [.. Places().Distinct()];
        Random random = new(1);
        int refused = 0;
        const int tries = 20_000;
        for (int i = 0; i < tries; i++)
        {
            byte[] bytes = [.. _user];
            for (int damage = i % 3; damage >= 0; damage--)
                bytes[random.GetItems(places, 1)[0]] = random.GetItems<byte>([0, 1, 2, 0x7f, 0x80, 0xff, (byte)random.Next(256)], 1)[0];
            refused += Refusal(bytes) is null ? 0 : 1;
        }
        Assert.InRange(refused, tries / 10, tries * 9 / 10);
    });

    /// <summary>The bytes that are read: the headers, and the sections about versions with the names that they point to.</summary>
    private IEnumerable<int> Places()
    {
        IEnumerable<int> headers = Enumerable.Range(0, 64).Concat(Headers.SelectMany(at => Enumerable.Range(at, 64)));
        int[] read = [Header(DynamicSymbols), NamesOf(DynamicSymbols), Header(SymbolVersions), Header(NeededVersions)];
        return headers.Concat(read.Select(Contents).SelectMany(section => Enumerable.Range(section.Offset, section.Size)));
    }

    private IEnumerable<int> Headers => Enumerable.Range(0, BinaryPrimitives.ReadUInt16LittleEndian(_user.AsSpan(0x3C)))
        .Select(i => (int)Read32(0x28) + 64 * i);

    private int Header(uint type) => Headers.First(at => Read32(at + 4) == type);

    private int NamesOf(uint type) => Headers.ElementAt((int)Read32(Header(type) + 0x28));

    private (int Offset, int Size) Contents(int header) => ((int)Read32(header + 0x18), (int)Read32(header + 0x20));

    private uint Read32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_user.AsSpan(at));

    private void Write32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_user.AsSpan(at), value);

    /// <summary>Why the file is refused; null where it is not.</summary>
    private static string? Refusal(byte[] bytes)
    {
        try
        {
            ElfFile file = new(bytes, "libuser.so");
            file.Requires(SharedObjects.Version);
            file.MakeWeak(SharedObjects.Version, SharedObjects.Symbol);
            return null;
        }
        catch (FeedException e)
        {
            return e.Message;
        }
    }
}
