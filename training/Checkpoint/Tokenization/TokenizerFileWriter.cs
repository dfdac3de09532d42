using System.Text.Encodings.Web;
using System.Text.Json;

namespace LatentMoE.Checkpoints.Tokenization;

/// <summary>Writes the tokenizer files of a Hugging Face checkpoint folder.</summary>
public static class TokenizerFileWriter
{
    // Chat for a model that knows no roles: the messages, a line each, and it goes on where the last one ends.
    private const string Continuation =
        "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}";

    private static readonly JsonWriterOptions Format = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The files that <see cref="Write(string, IReadOnlyList{string}, IReadOnlyList{ValueTuple{string, string}}, IReadOnlyList{string}, int)"/> makes.</summary>
    public static IReadOnlyList<string> FileNames { get; } = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, each under its name only when whole.
    /// The first special token begins and ends texts; the second, where there is one, pads.
    /// </summary>
    /// <param name="folder">Made if missing.</param>
    /// <param name="vocabulary">Tokens in id order, in the byte alphabet.</param>
    /// <param name="merges">Pairs in rank order.</param>
    /// <param name="specialTokens">At least one; all of them in the vocabulary.</param>
    /// <param name="modelMaxLength">The longest sequence that the model reads, in tokens.</param>
    public static void Write(string folder, IReadOnlyList<string> vocabulary, IReadOnlyList<(string Left, string Right)> merges,
        IReadOnlyList<string> specialTokens, int modelMaxLength)
    {
        ArgumentOutOfRangeException.ThrowIfZero(specialTokens.Count, nameof(specialTokens));
        (string Token, int Id)[] special = [.. specialTokens.Select(token => (token, vocabulary.Index().First(entry => entry.Item == token).Index))];
        WriteConfig(folder, special, modelMaxLength);
        Write(folder, "tokenizer.json", json => Tokenizer(json, vocabulary, merges, special));
    }

    /// <summary>Writes the files beside <c>tokenizer.json</c>. Special tokens and their ids come in the order that gives them their parts.</summary>
    public static void WriteConfig(string folder, IReadOnlyList<(string Token, int Id)> specialTokens, int modelMaxLength)
    {
        Directory.CreateDirectory(folder);
        Write(folder, "special_tokens_map.json", json => Roles(json, specialTokens));
        Write(folder, "tokenizer_config.json", json => Config(json, specialTokens, modelMaxLength));
    }

    private static void Tokenizer(Utf8JsonWriter json, IReadOnlyList<string> vocabulary, IReadOnlyList<(string Left, string Right)> merges, (string Token, int Id)[] special)
    {
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        foreach (var (token, id) in special)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            AddedToken(json, token);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNull("normalizer");
        ByteLevel(json, "pre_tokenizer");
        json.WriteNull("post_processor");
        ByteLevel(json, "decoder");
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (string unused in (ReadOnlySpan<string>)["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"])
        {
            json.WriteNull(unused);
        }
        foreach (string off in (ReadOnlySpan<string>)["fuse_unk", "byte_fallback", "ignore_merges"])
        {
            json.WriteBoolean(off, false);
        }
        json.WriteStartObject("vocab");
        foreach (var (id, token) in vocabulary.Index())
        {
            json.WriteNumber(token, id);
        }
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in merges)
        {
            json.WriteStringValue($"{left} {right}");
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Config(Utf8JsonWriter json, IReadOnlyList<(string Token, int Id)> special, int modelMaxLength)
    {
        json.WriteBoolean("add_bos_token", true);
        json.WriteBoolean("add_eos_token", false);
        json.WriteBoolean("add_prefix_space", false);
        json.WriteStartObject("added_tokens_decoder");
        foreach (var (token, id) in special)
        {
            json.WriteStartObject(id.ToString());
            AddedToken(json, token);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        Roles(json, special);
        json.WriteString("chat_template", Continuation);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteNumber("model_max_length", modelMaxLength);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
    }

    private static void Roles(Utf8JsonWriter json, IReadOnlyList<(string Token, int Id)> special)
    {
        json.WriteString("bos_token", special[0].Token);
        json.WriteString("eos_token", special[0].Token);
        json.WriteString("pad_token", special[Math.Min(1, special.Count - 1)].Token);
    }

    private static void AddedToken(Utf8JsonWriter json, string token)
    {
        json.WriteString("content", token);
        foreach (string off in (ReadOnlySpan<string>)["single_word", "lstrip", "rstrip", "normalized"])
        {
            json.WriteBoolean(off, false);
        }
        json.WriteBoolean("special", true);
    }

    private static void ByteLevel(Utf8JsonWriter json, string key)
    {
        json.WriteStartObject(key);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void Write(string folder, string name, Action<Utf8JsonWriter> content)
    {
        AtomicFile.Write(Path.Combine(folder, name), stream =>
        {
            using (var json = new Utf8JsonWriter(stream, Format))
            {
                json.WriteStartObject();
                content(json);
                json.WriteEndObject();
            }
            stream.Write("\n"u8);
        });
    }
}
