using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Tests.Support;

/// <summary>
/// Whole checkpoint folders with random weights. The deviations keep every layer's output of order one, so that logits differ
/// clearly between tokens and depend on the whole prefix.
/// </summary>
public static class RandomCheckpoint
{
    /// <summary>
    /// Writes config, weights, tokenizer, generation config and <c>reference.safetensors</c> (<c>input_ids</c> [rows, tokens] and
    /// the logits of <see cref="ReferenceDecoder"/>) into <paramref name="folder"/>, which is created. vocab_size must hold the tiny tokenizer.
    /// </summary>
    public static void Write(string folder, ModelConfig config, int seed = 1, int rows = 2, int tokens = 24)
    {
        config.Validated("test configuration");
        ArgumentOutOfRangeException.ThrowIfLessThan(config.VocabSize, TinyTokenizer.VocabularySize);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJson());
        File.WriteAllText(Path.Combine(folder, "generation_config.json"),
            $$"""{ "bos_token_id": {{config.BosTokenId}}, "eos_token_id": {{config.EosTokenId}}, "pad_token_id": {{config.PadTokenId}} }""" + "\n");
        TinyTokenizer.Write(folder);
        var weights = Weights(config, seed);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"),
            weights.Select(w => SafetensorsEntry.Of(w.Key, w.Value.Shape, w.Value.Values)),
            new Dictionary<string, string> { ["format"] = "pt" });
        WriteReference(folder, config, weights, seed, rows, tokens);
    }

    /// <summary>Every tensor of the configuration under its Hugging Face name.</summary>
    public static Dictionary<string, Weight> Weights(ModelConfig c, int seed)
    {
        var random = new RandomNumbers(seed);
        var weights = new Dictionary<string, Weight>();
        void Matrix(string name, long rows, long columns, double gain = 1) =>
            weights.Add(name, new([rows, columns], random.Normal(rows * columns, gain / Math.Sqrt(columns))));
        void Norm(string name, long width) => weights.Add(name, new([width], random.Normal(width, 0.1, mean: 1)));
        void FeedForward(string prefix, long hidden)
        {
            Matrix(prefix + "gate_proj.weight", hidden, c.HiddenSize);
            Matrix(prefix + "up_proj.weight", hidden, c.HiddenSize);
            Matrix(prefix + "down_proj.weight", c.HiddenSize, hidden, 2);
        }

        // Small embeddings, so that a tied head does not just repeat the last token.
        weights.Add("model.embed_tokens.weight", new([c.VocabSize, c.HiddenSize], random.Normal((long)c.VocabSize * c.HiddenSize, 0.3)));
        for (int layer = 0; layer < c.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.", a = p + "self_attn.", m = p + "mlp.";
            Norm(p + "input_layernorm.weight", c.HiddenSize);
            Norm(p + "post_attention_layernorm.weight", c.HiddenSize);
            long heads = c.NumAttentionHeads;
            if (c.IsLatent)
            {
                if (c.QLoraRank is int rank)
                {
                    Matrix(a + "q_a_proj.weight", rank, c.HiddenSize);
                    Norm(a + "q_a_layernorm.weight", rank);
                    Matrix(a + "q_b_proj.weight", heads * c.QkHeadDim, rank, 1.5);
                }
                else
                {
                    Matrix(a + "q_proj.weight", heads * c.QkHeadDim, c.HiddenSize, 1.5);
                }
                Matrix(a + "kv_a_proj_with_mqa.weight", c.KvLoraRank + c.QkRopeHeadDim, c.HiddenSize, 1.5);
                Norm(a + "kv_a_layernorm.weight", c.KvLoraRank);
                Matrix(a + "kv_b_proj.weight", heads * (c.QkNopeHeadDim + c.VHeadDim), c.KvLoraRank, 1.5);
                Matrix(a + "o_proj.weight", c.HiddenSize, heads * c.VHeadDim);
            }
            else
            {
                Matrix(a + "q_proj.weight", heads * c.MultiHeadDim, c.HiddenSize, 1.5);
                Matrix(a + "k_proj.weight", c.NumKeyValueHeads * c.MultiHeadDim, c.HiddenSize, 1.5);
                Matrix(a + "v_proj.weight", c.NumKeyValueHeads * c.MultiHeadDim, c.HiddenSize, 1.5);
                Matrix(a + "o_proj.weight", c.HiddenSize, heads * c.MultiHeadDim);
            }
            if (!c.IsMoELayer(layer))
            {
                FeedForward(m, c.IntermediateSize);
                continue;
            }
            Matrix(m + "gate.weight", c.NRoutedExperts, c.HiddenSize, 2);
            weights.Add(m + "gate.e_score_correction_bias", new([c.NRoutedExperts], random.Normal(c.NRoutedExperts, 0.1)));
            for (int expert = 0; expert < c.NRoutedExperts; expert++)
            {
                FeedForward($"{m}experts.{expert}.", c.MoeIntermediateSize);
            }
            if (c.NSharedExperts > 0)
            {
                FeedForward(m + "shared_experts.", (long)c.NSharedExperts * c.MoeIntermediateSize);
            }
        }
        Norm("model.norm.weight", c.HiddenSize);
        if (!c.TieWordEmbeddings)
        {
            Matrix("lm_head.weight", c.VocabSize, c.HiddenSize, 2);
        }
        return weights;
    }

    private static void WriteReference(
        string folder, ModelConfig config, Dictionary<string, Weight> weights, int seed, int rows, int tokens)
    {
        var random = new RandomNumbers(seed + 1);
        var decoder = new ReferenceDecoder(config, weights.ToDictionary(w => w.Key, w => w.Value.Values));
        var ids = new long[rows * tokens];
        var logits = new float[rows * tokens * config.VocabSize];
        for (int row = 0; row < rows; row++)
        {
            long[] line = [TinyTokenizer.EndOfText, .. Enumerable.Range(1, tokens - 1).Select(_ => (long)random.Next(2, config.VocabSize))];
            line.CopyTo(ids, row * tokens);
            double[] values = decoder.Logits(line);
            for (int i = 0; i < values.Length; i++)
            {
                logits[row * values.Length + i] = (float)values[i];
            }
        }
        SafetensorsWriter.Write(Path.Combine(folder, "reference.safetensors"),
        [
            SafetensorsEntry.Of("input_ids", [rows, tokens], ids),
            SafetensorsEntry.Of("logits", [rows, tokens, config.VocabSize], logits),
        ]);
    }

    /// <param name="Shape">As in the file.</param>
    /// <param name="Values">Row-major.</param>
    public sealed record Weight(long[] Shape, float[] Values);
}
