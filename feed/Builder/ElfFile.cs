using System.Buffers.Binary;
using System.Text;

namespace LatentMoE.Feed;

/// <summary>The versions that a shared object for 64-bit Linux needs of the libraries that it is linked with.</summary>
internal sealed class ElfFile
{
    private const uint DynamicSymbols = 11, NeededVersions = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const int SectionOffset = 0x28, SectionSize = 0x3A, SymbolSize = 24;
    private const ushort WeakVersion = 2, HiddenVersion = 0x8000;
    private const byte WeakSymbol = 2;

    private readonly byte[] _bytes;
    private readonly string _name;
    private readonly Dictionary<uint, Section> _sections = [];
    private readonly List<Section> _all = [];

    private readonly record struct Section(int Offset, int Size, int Link);

    /// <param name="bytes">The file; <see cref="MakeWeak"/> changes it in place.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="FeedException">It is no such file, or has no table of versions.</exception>
    public ElfFile(byte[] bytes, string name)
    {
        (_bytes, _name) = (bytes, name);
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new FeedException($"{name}: not a shared object for 64-bit Linux");
        try
        {
            int offset = checked((int)U64(SectionOffset));
            for (int i = 0; i < U16(SectionSize + 2); i++)
            {
                int at = offset + i * U16(SectionSize);
                Section section = new(checked((int)U64(at + 0x18)), checked((int)U64(at + 0x20)), (int)U32(at + 0x28));
                _all.Add(section);
                _sections.TryAdd(U32(at + 4), section);
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new FeedException($"{name}: its table of sections points outside of the file");
        }
        foreach (uint type in (uint[])[DynamicSymbols, NeededVersions, SymbolVersions])
            if (!_sections.ContainsKey(type))
                throw new FeedException($"{name}: has no section of type 0x{type:x}, in which versions of symbols stand");
    }

    /// <summary>Whether the loader refuses the file where no library has the version.</summary>
    public bool Requires(string version) => Needed(version).Any(entry => (U16(entry + 4) & WeakVersion) == 0);

    /// <summary>Lets the file load without the version: the symbol is null then, as if it had been declared weak.</summary>
    /// <exception cref="FeedException">The file takes another symbol of that version, which it may call.</exception>
    public void MakeWeak(string version, string symbol)
    {
        int[] entries = [.. Needed(version)];
        HashSet<int> indices = [.. entries.Select(entry => (int)U16(entry + 6))];
        Section symbols = _sections[DynamicSymbols];
        List<int> found = [];
        for (int i = 0; i < symbols.Size / SymbolSize; i++)
        {
            if (!indices.Contains(U16(_sections[SymbolVersions].Offset + 2 * i) & ~HiddenVersion))
                continue;
            int at = symbols.Offset + SymbolSize * i;
            string name = Text(_all[symbols.Link], U32(at));
            if (name != symbol)
                throw new FeedException($"{_name}: takes {name} of version {version}, beside {symbol}: it needs the library that has it");
            found.Add(at);
        }
        foreach (int at in found)
            _bytes[at + 4] = (byte)((WeakSymbol << 4) | (_bytes[at + 4] & 15));
        foreach (int entry in entries)
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(entry + 4), (ushort)(U16(entry + 4) | WeakVersion));
    }

    /// <summary>Where the entries of a version stand: hash (4 bytes), flags (2), index (2), name (4), distance to the next (4).</summary>
    private IEnumerable<int> Needed(string version)
    {
        Section needed = _sections[NeededVersions];
        Section names = _all[needed.Link];
        for (int library = needed.Offset, next = -1; next != 0; library += next)
        {
            int entry = library + (int)U32(library + 8);
            for (int i = 0; i < U16(library + 2); i++)
            {
                if (Text(names, U32(entry + 8)) == version)
                    yield return entry;
                entry += (int)U32(entry + 12);
            }
            next = (int)U32(library + 12);
        }
    }

    private string Text(Section strings, uint offset)
    {
        ReadOnlySpan<byte> text = _bytes.AsSpan(strings.Offset + (int)offset);
        return Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]);
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at));
    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));
    private ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(at));
}
