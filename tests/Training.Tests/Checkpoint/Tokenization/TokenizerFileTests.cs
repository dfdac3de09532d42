using System.Text;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tests.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

public class TokenizerFileTests
{
    private const string Text = "The cat sat on the mat. The cat's hat is on the mat, and the rat ate the hat. 日本語 日本語 héllo héllo";

    private static TokenizerFile Trained()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train([Text, Text], 290, ["<|endoftext|>", "<|pad|>"]).Write(folder.Path, 128);
        return TokenizerFile.Load(folder.Path);
    }

    [Fact]
    public void EncodeDecode_GivesBackAwkwardTexts()
    {
        TokenizerFile file = Trained();
        Assert.All(Texts.Awkward, text => Assert.Equal(text, file.Decode(file.Encode(text))));
    }

    [Fact]
    public void Encode_SeamInsideAnAddedToken_KeepsItText()
    {
        TokenizerFile file = Trained();
        Assert.Equal([0, .. file.Encode("the"), 1], file.Encode("<|endoftext|>t^he<|pad|>", '^'));
        int[] ids = file.Encode("the <^|pad|> mat", '^');
        Assert.DoesNotContain(1, ids);
        Assert.Equal("the <|pad|> mat", file.Decode(ids));
        Assert.Equal(file.Tokenizer.EncodeToIds("the <|pad|> mat"), ids);
    }

    [Fact]
    public void EncodeDecode_GivesBackRandomTexts()
    {
        TokenizerFile file = Trained();
        var random = new Random(7);
        for (int i = 0; i < 2_000; i++)
        {
            string text = Texts.RandomText(random);
            Assert.Equal(text, file.Decode(file.Encode(text)));
        }
    }

    [Fact]
    public void EncodeDecode_GivesBackRandomBytes()
    {
        TokenizerFile file = Trained();
        var random = new Random(11);
        var utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
        int valid = 0;
        for (int i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(1, i % 2 == 0 ? 4 : 200)];
            random.NextBytes(bytes);
            string latin = Encoding.Latin1.GetString(bytes);
            Assert.Equal(latin, file.Decode(file.Encode(latin)));
            try
            {
                string text = utf8.GetString(bytes);
                Assert.Equal(bytes, file.Encode(text).SelectMany(id => file.Bytes(id).ToArray()));
                valid++;
            }
            catch (DecoderFallbackException)
            {
            }
        }
        Assert.True(valid > 100, $"only {valid} of the strings were UTF-8");
    }

    [Fact]
    public void Bytes_OfAnyIds_AreTheirTextInUtf8()
    {
        TokenizerFile file = Trained();
        foreach (string text in Texts.Awkward)
        {
            byte[] bytes = [.. file.Encode(text).SelectMany(id => file.Bytes(id).ToArray())];
            Assert.Equal(Encoding.UTF8.GetBytes(text), bytes);
        }
        byte[] all = [.. Enumerable.Range(2, 256).Select(id => Assert.Single(file.Bytes(id).ToArray()))];
        Assert.Equal(Enumerable.Range(0, 256).Select(value => (byte)value), all.Order());
    }

    [Fact]
    public void Decode_OfCutUtf8_GivesReplacementCharacters()
    {
        TokenizerFile file = Trained();
        int[] bytes = [.. Encoding.UTF8.GetBytes("é").Select(value => Enumerable.Range(0, file.VocabularySize).First(id => file.Bytes(id).Span.SequenceEqual([value])))];
        Assert.Equal("é", file.Decode(bytes));
        Assert.Equal("\uFFFD", file.Decode(bytes[..1]));
    }

    [Fact]
    public void Encode_ReplacesLoneSurrogates() => Assert.Equal("a\uFFFDb\uFFFD", Trained().Decode(Trained().Encode("a\ud800b\udc00")));

    [Theory]
    [InlineData("<|endoftext|>", new[] { 0 })]
    [InlineData("<|endoftext|><|pad|>", new[] { 0, 1 })]
    public void Encode_RecognisesSpecialTokens(string text, int[] ids) => Assert.Equal(ids, Trained().Encode(text));

    [Fact]
    public void Encode_CutsTextAtSpecialTokens()
    {
        TokenizerFile file = Trained();
        Assert.Equal([.. file.Encode("the  "), 0, .. file.Encode(" mat"), 1], file.Encode("the  <|endoftext|> mat<|pad|>"));
        Assert.Equal("the   mat", file.Decode(file.Encode("the  <|endoftext|> mat<|pad|>")));
        Assert.Equal("the  <|endoftext|> mat<|pad|>", file.Decode(file.Encode("the  <|endoftext|> mat<|pad|>"), skipSpecialTokens: false));
        Assert.DoesNotContain(0, file.Encode("<|endoftext>"));
    }

    [Fact]
    public void SpecialTokens_HaveNoBytes()
    {
        TokenizerFile file = Trained();
        Assert.Equal(new Dictionary<string, int> { ["<|endoftext|>"] = 0, ["<|pad|>"] = 1 }, file.SpecialTokens);
        Assert.True(file.IsSpecial(0) && file.IsSpecial(1) && !file.IsSpecial(2) && !file.IsSpecial(-1));
        Assert.True(file.Bytes(0).IsEmpty);
        Assert.False(file.TryGetBytes(1, out _));
        Assert.False(file.TryGetBytes(file.VocabularySize, out _));
        Assert.True(file.TryGetBytes(2, out var bytes) && bytes.SequenceEqual("!"u8));
        Assert.Equal("<|pad|>", file.Token(1));
    }

    [Fact]
    public void Decode_OfAnUnknownId_SaysTheRange()
    {
        TokenizerFile file = Trained();
        var e = Assert.Throws<ArgumentOutOfRangeException>(() => file.Decode([file.VocabularySize]));
        Assert.Contains($"0 to {file.VocabularySize - 1}", e.Message);
    }

    [Fact]
    public void Load_TakesAddedTokensThatAreNotSpecial()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train([Text, Text], 290, ["<|endoftext|>", "<|pad|>"]).Write(folder.Path, 128);
        string json = File.ReadAllText(folder["tokenizer.json"]);
        folder.Write("tokenizer.json", json.Replace("\"added_tokens\": [", "\"added_tokens\": [{\"id\": 290, \"content\": \"the mat\", \"special\": false},"));
        TokenizerFile file = TokenizerFile.Load(folder.Path);
        Assert.Equal(291, file.VocabularySize);
        Assert.Equal([.. file.Encode("on "), 290, .. file.Encode("!")], file.Encode("on the mat!"));
        Assert.Equal("on the mat!", file.Decode(file.Encode("on the mat!")));
    }

    [Fact]
    public void Load_TakesMergesAsPairs()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train([Text, Text], 290, ["<|endoftext|>", "<|pad|>"]).Write(folder.Path, 128);
        int[] expected = TokenizerFile.Load(folder.Path).Encode(Text);
        string json = File.ReadAllText(folder["tokenizer.json"]);
        int merges = json.IndexOf("\"merges\"", StringComparison.Ordinal);
        string pairs = System.Text.RegularExpressions.Regex.Replace(json[merges..], "\"([^ \"]+) ([^ \"]+)\"", "[\"$1\", \"$2\"]");
        Assert.NotEqual(json[merges..], pairs);
        folder.Write("tokenizer.json", json[..merges] + pairs);
        Assert.Equal(expected, TokenizerFile.Load(folder.Path).Encode(Text));
    }
}
