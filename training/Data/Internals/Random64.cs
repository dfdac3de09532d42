namespace LatentMoE.Training.Data.Internals;

/// <summary>SplitMix64 (Steele et al. 2014): the same numbers on every machine and in every version, independent streams by key.</summary>
internal struct Random64
{
    private ulong _state;

    public Random64(ulong seed, ulong key)
    {
        _state = seed;
        _state = Next() ^ (key * 0xD1342543DE82EF95UL);
        Next();
    }

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15UL;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A whole number from 0 to one less than <paramref name="bound"/>; the bias of at most bound / 2^64 does not matter here.</summary>
    public long Below(long bound) => (long)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Fisher and Yates.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int other = (int)Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }
}
