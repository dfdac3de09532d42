using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Package;

/// <summary>How to load a package, by language; the part of the model card that is the same for every model of a family.</summary>
internal static class ModelCardUsage
{
    public static string Text(string name, ExportOptions options, ModelConfig config) => $$"""
        ## Use

        The folder is an ONNX Runtime GenAI directory. {{(config.IsLatent
            ? $"The operators of the domain `latentmoe` carry bodies of standard operators, so stock ONNX Runtime ({Oldest(options, "1.17")} or newer) runs it; "
                + "with the LatentMoE operator library registered, its kernels take their place."
            : $"Attention is ONNX Runtime's own GroupQueryAttention, so the model needs ONNX Runtime {Oldest(options, "1.20")} or newer.")}}

        .NET:

        ```csharp
        using var model = LanguageModel.Load("{{name}}");
        await foreach (var piece in model.GenerateAsync("Once upon a time"))
            Console.Write(piece.Text);
        ```

        Python (`pip install onnxruntime-genai`):

        ```python
        import onnxruntime_genai as og
        model = og.Model("{{name}}")
        tokenizer = og.Tokenizer(model)
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=100)
        generator = og.Generator(model, params)
        generator.append_tokens(tokenizer.encode("Once upon a time"))
        while not generator.is_done():
            generator.generate_next_token()
        print(tokenizer.decode(generator.get_sequence(0)))
        ```

        {{Node(name, options, config)}}

        The cache follows the positions: the token at position p is in column p of `present`, whatever the
        padding{{(config.IsLatent ? "" : " on the right")}}. A past shorter than the attention mask grows; a longer one is a buffer that
        may be bound as past and present at once, zeroed before its first use.

        """;

    // The oldest version that a test has run such a package with; that of float32 activations is given.
    private static string Oldest(ExportOptions options, string wide) => options.Activations == "f32" ? wide : "1.29";

    private static string Node(string name, ExportOptions options, ModelConfig config) => options.CacheType == "bf16"
        ? "ONNX Runtime for Node.js and browsers has no tensors of bfloat16, so it cannot hold this package's cache: export with "
            + "--activations=f16 for it."
        : $$"""
        Node (`npm install onnxruntime-node`): one step; feed `present.N.*` back as `past_key_values.N.*` for the next.

        ```js
        const ort = require('onnxruntime-node');
        const session = await ort.InferenceSession.create('{{name}}/model.onnx');
        const int64 = row => new ort.Tensor('int64', BigInt64Array.from(row.map(BigInt)), [1, row.length]);
        const feeds = { input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)), position_ids: int64(ids.map((_, i) => i)) };
        for (let n = 0; n < {{config.NumHiddenLayers}}; n++)
          for (const part of ['key', 'value'])
            feeds[`past_key_values.${n}.${part}`] = new ort.Tensor({{(options.CacheType == "f16" ? "'float16', new Uint16Array(0)" : "'float32', []")}}, [1, {{config.CacheShape.Heads}}, 0, {{config.CacheShape.Width}}]);
        const { logits } = await session.run(feeds);
        ```
        """;
}
