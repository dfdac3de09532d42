namespace Microsoft.ML.Tokenizers;

/// <summary>
/// GPT-2's printable spelling of the 256 bytes: those that are printable in Latin-1 stand for themselves, the others, in order, for U+0100 and on.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Symbols = Build();
    private static readonly short[] Bytes = Invert(Symbols);

    public static char Symbol(byte value) => Symbols[value];

    public static bool TryGetByte(char symbol, out byte value)
    {
        int found = symbol < Bytes.Length ? Bytes[symbol] : -1;
        value = (byte)found;
        return found >= 0;
    }

    private static char[] Build()
    {
        var symbols = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            symbols[value] = (char)(printable ? value : next++);
        }
        return symbols;
    }

    private static short[] Invert(char[] symbols)
    {
        var bytes = new short[symbols.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
        {
            bytes[symbols[value]] = (short)value;
        }
        return bytes;
    }
}
