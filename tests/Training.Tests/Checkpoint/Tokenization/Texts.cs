using System.Text;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

/// <summary>Texts that tokenizers get wrong, and random ones.</summary>
internal static class Texts
{
    public static readonly string[] Awkward =
    [
        "", "a", " ", "  ", "\n", "\n\n\n", "a\n\nb", "  a", "a  ", "\t\ta \t b\r\n", "it's I'll you're we've I'm he'd 'S 'LL don''t ''s",
        "123 4567  89", "x1y2", "price: $3.50!!! ...", "héllo wörld naïve", "日本語のテキスト。中国文字", "안녕하세요 세계", "Привет, мир!", "مرحبا بالعالم",
        "नमस्ते दुनिया", "👍🏽 👨‍👩‍👧‍👦 🇩🇪", "e\u0301 a\u0308\u0304", "\u00a0nbsp\u00a0\u00a0x", "\u2003em\u2003space", "\u3000wide\u3000", "\u0085next\u0085line",
        "\u2028ls\u2029ps", "\ufeffbom", "\u200bzw\u200dj", "\0\u0001\u001f\u007f", "𝐀𝐁𝐂 a𝐀b", "½ ² ³ Ⅷ ㊿", "٣٤٥", "ﬁ", "İstanbul ıI", "\u1680ogham", " \n \n ", "a \n b",
        "\U0010FFFF\uE000", "_under_score_", "http://a.b/c?d=e&f",
    ];

    /// <summary>A text of random code points of all planes, many of them white space, letters and quotes; no surrogate stands alone.</summary>
    public static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (int i = random.Next(60); i > 0; i--)
        {
            int kind = random.Next(6), point = kind switch
            {
                0 => random.Next(0x80),
                1 => " \n\t\u00a0\u3000'"[random.Next(6)],
                2 => random.Next('a', 'z' + 1),
                3 => random.Next(0x80, 0x2100),
                4 => random.Next(0x2100, 0xD800),
                _ => random.Next(0x10000, 0x110000),
            };
            text.Append(new Rune(point));
        }
        return text.ToString();
    }
}
