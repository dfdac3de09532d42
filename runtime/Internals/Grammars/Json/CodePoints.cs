using System.Text;
using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Json;

/// <summary>A set of Unicode scalar values, as ranges; surrogates never belong to it.</summary>
internal sealed class CodePoints
{
    private readonly List<(int Low, int High)> _ranges = [];

    public CodePoints(params (int Low, int High)[] ranges) => Array.ForEach(ranges, Add);

    public static CodePoints Digits { get; } = new(('0', '9'));

    public static CodePoints Word { get; } = new(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>ECMAScript's WhiteSpace and LineTerminator.</summary>
    public static CodePoints Space { get; } = new((9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    public static CodePoints LineEnds { get; } = new((10, 10), (13, 13), (0x2028, 0x2029));

    public static CodePoints All { get; } = new((0, 0x10FFFF));

    public void Add((int Low, int High) range) => _ranges.Add(range);

    public void Add(CodePoints other) => _ranges.AddRange(other._ranges);

    public CodePoints Complement()
    {
        var result = new CodePoints();
        int next = 0;
        foreach (var (low, high) in _ranges.OrderBy(range => range.Low))
        {
            if (low > next)
            {
                result.Add((next, low - 1));
            }
            next = Math.Max(next, high + 1);
        }
        if (next <= 0x10FFFF)
        {
            result.Add((next, 0x10FFFF));
        }
        return result;
    }

    /// <summary>One of them as UTF-8, within a JSON string with the escapes that RFC 8259 demands, or as plain text.</summary>
    public Node ToNode(bool inString)
    {
        var options = new List<Node>();
        foreach (var (low, high) in Complement().Complement()._ranges) // in order, none twice
        {
            for (int start = low; start <= high;)
            {
                int end = Math.Min(high, PieceEnd(start, inString));
                if (inString && start < 0x20)
                {
                    options.Add(Control(start));
                }
                else if (inString && start is '"' or '\\')
                {
                    options.Add(Bytes([(byte)'\\', (byte)start]));
                }
                else if (start is < 0xD800 or > 0xDFFF)
                {
                    AddUtf8(options, start, end);
                }
                start = end + 1;
            }
        }
        return new Choice([.. options]);
    }

    // The last code point that is written in the same manner and in as many bytes.
    private static int PieceEnd(int start, bool inString) => start switch
    {
        < 0x20 when inString => start,
        '"' or '\\' when inString => start,
        < '"' when inString => '"' - 1,
        < '\\' when inString => '\\' - 1,
        < 0x80 => 0x7F,
        < 0x800 => 0x7FF,
        < 0xD800 => 0xD7FF,
        < 0xE000 => 0xDFFF,
        < 0x10000 => 0xFFFF,
        _ => 0x10FFFF,
    };

    private static Node Control(int value) => value switch
    {
        8 => Bytes("\\b"u8),
        9 => Bytes("\\t"u8),
        10 => Bytes("\\n"u8),
        12 => Bytes("\\f"u8),
        13 => Bytes("\\r"u8),
        _ => new Sequence(Bytes("\\u00"u8), Bytes([(byte)('0' + (value >> 4))]), HexDigit(value & 15)),
    };

    private static Node HexDigit(int value) => value < 10 ? Bytes([(byte)('0' + value)])
        : new Choice(Bytes([(byte)('a' + value - 10)]), Bytes([(byte)('A' + value - 10)]));

    private static Sequence Bytes(ReadOnlySpan<byte> bytes) => new([.. bytes.ToArray().Select(value => new ByteRange(value, value))]);

    // Splits a range until its last bytes run over the same values whatever the bytes before.
    private static void AddUtf8(List<Node> options, int low, int high)
    {
        for (int shift = 6; shift <= 18; shift += 6)
        {
            int mask = (1 << shift) - 1;
            if ((low & ~mask) == (high & ~mask) || high < 0x80)
            {
                break;
            }
            if ((low & mask) != 0)
            {
                AddUtf8(options, low, low | mask);
                AddUtf8(options, (low | mask) + 1, high);
                return;
            }
            if ((high & mask) != mask)
            {
                AddUtf8(options, low, (high & ~mask) - 1);
                AddUtf8(options, high & ~mask, high);
                return;
            }
        }
        Span<byte> first = stackalloc byte[4], last = stackalloc byte[4];
        int length = new Rune(low).EncodeToUtf8(first);
        new Rune(high).EncodeToUtf8(last);
        var parts = new Node[length];
        for (int i = 0; i < length; i++)
        {
            parts[i] = new ByteRange(first[i], last[i]);
        }
        options.Add(new Sequence(parts));
    }
}
