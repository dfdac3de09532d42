using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Tests.Support;

/// <summary>
/// A byte-level BPE vocabulary of 268 tokens: two specials, the 256 bytes, ten merges. It round-trips any text and needs no training.
/// </summary>
public static class TinyTokenizer
{
    public const int EndOfText = 0, Pad = 1;

    private static readonly (string Left, string Right)[] Merges =
    [
        ("h", "e"), ("Ġ", "t"), ("i", "n"), ("Ġt", "he"), ("a", "n"), ("r", "e"), ("Ġ", "a"), ("an", "d"), ("o", "n"), ("e", "r"),
    ];

    public static int VocabularySize => 2 + 256 + Merges.Length;

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c>.</summary>
    public static void Write(string folder)
    {
        var options = new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer().ToJsonString(options));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), Config().ToJsonString(options));
    }

    private static JsonObject Tokenizer()
    {
        var vocabulary = new JsonObject { ["<|endoftext|>"] = EndOfText, ["<|pad|>"] = Pad };
        foreach (char symbol in ByteSymbols().Order())
        {
            vocabulary[symbol.ToString()] = vocabulary.Count;
        }
        foreach (var (left, right) in Merges)
        {
            vocabulary[left + right] = vocabulary.Count;
        }
        static JsonObject ByteLevel() => new()
        {
            ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true,
        };
        static JsonObject Special(int id, string content) => new()
        {
            ["id"] = id, ["content"] = content,
            ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
        };
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(Special(EndOfText, "<|endoftext|>"), Special(Pad, "<|pad|>")),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null,
                ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. Merges.Select(m => (JsonNode)$"{m.Left} {m.Right}")]),
            },
        };
    }

    private static JsonObject Config() => new()
    {
        ["tokenizer_class"] = "PreTrainedTokenizerFast",
        ["bos_token"] = "<|endoftext|>",
        ["eos_token"] = "<|endoftext|>",
        ["pad_token"] = "<|pad|>",
        ["add_bos_token"] = true,
        ["model_max_length"] = 96,
        ["clean_up_tokenization_spaces"] = false,
    };

    // GPT-2's byte alphabet: printable bytes stand for themselves, the others for the characters from U+0100 on.
    private static IEnumerable<char> ByteSymbols()
    {
        int next = 0x100;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            yield return printable ? (char)b : (char)next++;
        }
    }
}
