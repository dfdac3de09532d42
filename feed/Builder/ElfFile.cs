using System.Buffers.Binary;
using System.Text;

namespace LatentMoE.Feed;

/// <summary>The versions that a shared object for 64-bit Linux needs of the libraries that it is linked with.</summary>
internal sealed class ElfFile
{
    private const uint DynamicSymbols = 11, NeededVersions = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const int SectionOffset = 0x28, SectionSize = 0x3A, SectionCount = 0x3C, SymbolSize = 24;
    private const ushort WeakVersion = 2, HiddenVersion = 0x8000;
    private const byte WeakSymbol = 2;

    private readonly byte[] _bytes;
    private readonly string _name;
    private readonly Section _symbols, _symbolNames, _symbolVersions, _needed, _neededNames;

    private readonly record struct Section(uint Type, long Offset, long Size, uint Link);

    /// <param name="bytes">The file; <see cref="MakeWeak"/> changes it in place.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="FeedException">It is no such file, or has no table of versions. Reading on may find it damaged, too.</exception>
    public ElfFile(byte[] bytes, string name)
    {
        (_bytes, _name) = (bytes, name);
        if (!bytes.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
            throw new FeedException($"{name}: not a shared object for 64-bit Linux");
        Section file = new(0, 0, bytes.Length, 0);
        long table = (long)U64(file, SectionOffset);
        int size = U16(file, SectionSize);
        Section[] sections = [.. Enumerable.Range(0, U16(file, SectionCount))
            .Select(i => InFile(new Section(0, table + (long)i * size, size, 0)))
            .Select(header => new Section(U32(header, 4), (long)U64(header, 0x18), (long)U64(header, 0x20), U32(header, 0x28)))];
        _symbols = OfType(sections, DynamicSymbols);
        _symbolNames = Linked(sections, _symbols);
        _symbolVersions = OfType(sections, SymbolVersions);
        _needed = OfType(sections, NeededVersions);
        _neededNames = Linked(sections, _needed);
    }

    /// <summary>Whether the loader refuses the file where no library has the version.</summary>
    public bool Requires(string version) => Needed(version).Any(entry => (U16(_needed, entry + 4) & WeakVersion) == 0);

    /// <summary>Lets the file load without the version: the symbol is null then, as if it had been declared weak.</summary>
    /// <exception cref="FeedException">The file takes another symbol of that version, which it may call.</exception>
    public void MakeWeak(string version, string symbol)
    {
        long[] entries = [.. Needed(version)];
        HashSet<int> indices = [.. entries.Select(entry => U16(_needed, entry + 6) & ~HiddenVersion)];
        List<long> found = [];
        for (long i = 0; i < _symbols.Size / SymbolSize; i++)
        {
            if (!indices.Contains(U16(_symbolVersions, 2 * i) & ~HiddenVersion))
                continue;
            long at = SymbolSize * i;
            string name = Text(_symbolNames, U32(_symbols, at));
            if (name != symbol)
                throw new FeedException($"{_name}: takes {name} of version {version}, beside {symbol}: it needs the library that has it");
            found.Add(at);
        }
        foreach (long at in found)
        {
            ref byte info = ref At(_symbols, at + 4, 1)[0];
            info = (byte)((WeakSymbol << 4) | (info & 15));
        }
        foreach (long entry in entries)
            BinaryPrimitives.WriteUInt16LittleEndian(At(_needed, entry + 4, 2), (ushort)(U16(_needed, entry + 4) | WeakVersion));
    }

    /// <summary>Where the entries of a version stand: hash (4 bytes), flags (2), index (2), name (4), distance to the next (4).</summary>
    private IEnumerable<long> Needed(string version)
    {
        int seen = 0;
        for (long library = 0, next = 1; next != 0; library += next)
        {
            long entry = library + U32(_needed, library + 8);
            for (int left = U16(_needed, library + 2); left > 0; left--)
            {
                // Each has an index of 15 bits, so more of them are a chain that does not get on.
                if (++seen > short.MaxValue)
                    throw Damaged();
                if (Text(_neededNames, U32(_needed, entry + 8)) == version)
                    yield return entry;
                entry += U32(_needed, entry + 12);
            }
            next = U32(_needed, library + 12);
        }
    }

    private Section OfType(Section[] sections, uint type) => sections.Any(s => s.Type == type)
        ? InFile(sections.First(s => s.Type == type))
        : throw new FeedException($"{_name}: has no section of type 0x{type:x}, in which versions of symbols stand");

    private Section Linked(Section[] sections, Section section) =>
        section.Link < sections.Length ? InFile(sections[section.Link]) : throw Damaged();

    private Section InFile(Section section) =>
        section.Offset >= 0 && section.Size >= 0 && section.Offset <= _bytes.Length - section.Size ? section : throw Damaged();

    private string Text(Section strings, uint offset)
    {
        ReadOnlySpan<byte> text = offset < strings.Size ? All(strings)[(int)offset..] : [];
        int length = text.IndexOf((byte)0);
        return length >= 0 ? Encoding.UTF8.GetString(text[..length]) : throw Damaged();
    }

    private Span<byte> All(Section section) => _bytes.AsSpan((int)section.Offset, (int)section.Size);

    private Span<byte> At(Section section, long offset, int size) =>
        offset >= 0 && offset <= section.Size - size ? All(section).Slice((int)offset, size) : throw Damaged();

    private FeedException Damaged() => new($"{_name}: damaged: one of its tables does not lie where another says");

    private ushort U16(Section section, long at) => BinaryPrimitives.ReadUInt16LittleEndian(At(section, at, 2));
    private uint U32(Section section, long at) => BinaryPrimitives.ReadUInt32LittleEndian(At(section, at, 4));
    private ulong U64(Section section, long at) => BinaryPrimitives.ReadUInt64LittleEndian(At(section, at, 8));
}
