namespace LatentMoE.Checkpoints.Tokenization;

/// <summary>GPT-2's printable spelling of bytes: printable Latin-1 stands for itself, the other 68 bytes, in order, are U+0100 to U+0143.</summary>
public static class ByteAlphabet
{
    private static readonly string[] Symbols = Build();
    private static readonly Dictionary<char, byte> Bytes = Symbols.Select((symbol, value) => (symbol[0], (byte)value)).ToDictionary();

    /// <summary>The one-character string that spells a byte.</summary>
    public static string Symbol(byte value) => Symbols[value];

    /// <summary>The bytes that a token stands for, or null when it has a character outside the alphabet.</summary>
    public static byte[]? Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out bytes[i]))
            {
                return null;
            }
        }
        return bytes;
    }

    private static string[] Build()
    {
        var symbols = new string[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            symbols[value] = ((char)(printable ? value : next++)).ToString();
        }
        return symbols;
    }
}
