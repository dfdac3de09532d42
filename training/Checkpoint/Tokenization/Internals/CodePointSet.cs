using System.Globalization;
using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>A set of Unicode code points: sorted ranges with gaps between them.</summary>
internal sealed class CodePointSet
{
    public const int LastPoint = 0x10FFFF;

    private static readonly Lazy<Dictionary<string, CodePointSet>> Categories = new(ReadCategories);

    private CodePointSet(IEnumerable<(int First, int Last)> ranges)
    {
        var joined = new List<(int First, int Last)>();
        foreach (var range in ranges.Order())
        {
            if (joined.Count > 0 && range.First <= joined[^1].Last + 1)
            {
                joined[^1] = (joined[^1].First, Math.Max(joined[^1].Last, range.Last));
            }
            else
            {
                joined.Add(range);
            }
        }
        Ranges = [.. joined];
    }

    public static CodePointSet Empty { get; } = new([]);

    /// <summary>Unicode's White_Space.</summary>
    public static CodePointSet WhiteSpace { get; } =
        new(Enumerable.Range(0, 0x10000).Where(c => char.IsWhiteSpace((char)c)).Select(c => (c, c)));

    public (int First, int Last)[] Ranges { get; }

    public static CodePointSet Of(int first, int last) => new([(first, last)]);

    public static CodePointSet Of(Rune rune) => Of(rune.Value, rune.Value);

    /// <summary>A general category by its short name ("Lu"), or all of a letter ("L"); null where there is none.</summary>
    public static CodePointSet? Category(string name) => Categories.Value.GetValueOrDefault(name);

    public static CodePointSet Union(IEnumerable<CodePointSet> sets) => new(sets.SelectMany(set => set.Ranges));

    public CodePointSet Complement()
    {
        var gaps = new List<(int, int)>();
        int next = 0;
        foreach (var (first, last) in Ranges)
        {
            if (first > next)
            {
                gaps.Add((next, first - 1));
            }
            next = last + 1;
        }
        if (next <= LastPoint)
        {
            gaps.Add((next, LastPoint));
        }
        return new CodePointSet(gaps);
    }

    public bool Contains(int point)
    {
        int low = 0, high = Ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (point < Ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (point > Ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }
        return false;
    }

    private static Dictionary<string, CodePointSet> ReadCategories()
    {
        // In the order of UnicodeCategory.
        string[] names = ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn"];
        var ranges = names.Select(_ => new List<(int, int)>()).ToArray();
        for (int first = 0, point = 1; first <= LastPoint; point++)
        {
            UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(first);
            while (point <= LastPoint && CharUnicodeInfo.GetUnicodeCategory(point) == category)
            {
                point++;
            }
            ranges[(int)category].Add((first, point - 1));
            first = point;
        }
        var sets = names.Index().ToDictionary(name => name.Item, name => new CodePointSet(ranges[name.Index]), StringComparer.OrdinalIgnoreCase);
        foreach (var group in names.GroupBy(name => name[..1]).ToArray())
        {
            sets.Add(group.Key, Union(group.Select(name => sets[name])));
        }
        return sets;
    }
}
