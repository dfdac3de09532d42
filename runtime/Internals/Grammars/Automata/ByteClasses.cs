namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>Bytes that a language never tells apart, under one number; tables have a column a class instead of one a byte.</summary>
internal sealed class ByteClasses
{
    private readonly byte[] _classes;

    private ByteClasses(byte[] classes) => (_classes, Count) = (classes, classes.Max() + 1);

    public int Count { get; }

    public int this[byte value] => _classes[value];

    public static ByteClasses Of(Node root)
    {
        var starts = new bool[257];
        foreach (var node in NodeWalk.ChildrenFirst(root))
        {
            if (node is ByteRange range)
            {
                starts[range.Low] = starts[range.High + 1] = true;
            }
            else if (node is Regular regular)
            {
                regular.Dfa.MarkEdges(starts);
            }
        }
        return FromStarts(starts);
    }

    /// <summary>Each of the bytes by itself, the others in between together.</summary>
    public static ByteClasses OfBytes(ReadOnlySpan<byte> bytes)
    {
        var starts = new bool[257];
        foreach (byte value in bytes)
        {
            starts[value] = starts[value + 1] = true;
        }
        return FromStarts(starts);
    }

    /// <summary>Bytes that neither tells apart.</summary>
    public static ByteClasses Refine(ByteClasses one, ByteClasses other)
    {
        var starts = new bool[257];
        for (int value = 1; value < 256; value++)
        {
            starts[value] = one._classes[value] != one._classes[value - 1] || other._classes[value] != other._classes[value - 1];
        }
        return FromStarts(starts);
    }

    private static ByteClasses FromStarts(bool[] starts)
    {
        var classes = new byte[256];
        for (int value = 1; value < 256; value++)
        {
            classes[value] = (byte)(classes[value - 1] + (starts[value] ? 1 : 0));
        }
        return new ByteClasses(classes);
    }
}
