using System.Globalization;
using System.Text;
using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Package;

/// <summary>The part of the model card that says how near the package comes to its checkpoint.</summary>
internal static class ModelCardParity
{
    public static void Append(StringBuilder text, ExportOptions options, ParityReport? parity)
    {
        if (parity is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"## Parity\n\n**Not checked**: {ParityCheck.Skipped(options)}.\n\n");
            return;
        }
        string form = parity.Rounding is null ? ""
            : " The float32 form is this model with its weights' values in float32, float32 activations and a float32 cache.";
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Parity

            {parity.Rows} sequences of {parity.Tokens} tokens on ONNX Runtime {parity.Runtime}; {parity.Measure.Text()} of {parity.Limit:0e+0} of the
            range is allowed. Modes: the full sequence at once, with the runtime's optimiser and plain; token by token with a cache that grows
            and with one shared buffer; the first half as a chunk, then tokens. `dotnet cake build --target=Export{options.TypeArguments}`
            with the same checkpoint repeats it.{form}

            | Tensor | Mode | Against | Difference | Of the range |
            |---|---|---|---|---|

            """);
        foreach (var line in parity.Summary())
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {line.Tensor} | {line.Mode} | {line.Against} | {line.Difference:0.0e+0} | {line.Relative:0.0e+0} |\n");
        }
        text.Append('\n');
        if (parity is { Rounding: Rounding rounding, Choice: Choice choice })
        {
            text.Append(CultureInfo.InvariantCulture, $"Beside the float32 form, {choice.Text()}.\n\n");
            text.Append(CultureInfo.InvariantCulture, $"Rounding to this precision, beside the checkpoint's float32 logits: {rounding.Text()}.\n\n");
        }
    }
}
