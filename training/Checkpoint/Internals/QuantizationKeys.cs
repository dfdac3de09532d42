using System.Text.Json;

namespace LatentMoE.Checkpoints.Internals;

/// <summary>
/// <c>quantization_config</c> of the one kind that is read: DeepSeek-V3's blocks of F8_E4M3. Activations, which that checkpoint's
/// kernels round to eight bits too, are not rounded here. Factors that are powers of two (scale_fmt ue8m0) multiply like others.
/// </summary>
internal static class QuantizationKeys
{
    // modules_to_not_convert: every tensor says by its own type whether it is quantised.
    private static readonly string[] Known =
    [
        "quant_method", "fmt", "activation_scheme", "weight_block_size", "scale_fmt", "modules_to_not_convert", "ignored_layers", "dequantize",
    ];

    public static BlockQuantization? Read(JsonKeys config)
    {
        if (config.Object("quantization_config") is not JsonKeys keys)
        {
            return null;
        }
        Require(keys, "quant_method", "", "fp8");
        keys.RequireKnown(Known, "It is an unknown key of fp8 weights, which may mean other numbers: only blocks of F8_E4M3 with one factor each are read.");
        Require(keys, "fmt", "e4m3", "e4m3");
        Require(keys, "activation_scheme", "dynamic", "dynamic");
        Require(keys, "scale_fmt", "float", "float", "ue8m0");
        if (!keys.Find("weight_block_size", out var value) || value.ValueKind != JsonValueKind.Array)
        {
            throw new CheckpointException($"{config.File}: quantization_config.weight_block_size is missing; expected [128, 128] or another block of "
                + "rows and columns.");
        }
        int[] block = [.. value.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Number && x.TryGetInt32(out int n) ? n : 0)];
        return block is [> 0, > 0] ? new(block[0], block[1]) : throw keys.Wrong("weight_block_size", "two whole numbers, rows and columns, of at least 1");
    }

    private static void Require(JsonKeys keys, string key, string fallback, params string[] known)
    {
        if (!known.Contains(keys.Text(key, fallback)))
        {
            string expected = string.Join(" or ", known.Select(k => $"\"{k}\""));
            throw keys.Has(key) ? keys.Wrong(key, expected)
                : new CheckpointException($"{keys.File}: quantization_config.{key} is missing; expected {expected}.");
        }
    }
}
