using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>Formulas that graphs and bodies share.</summary>
internal static class Formulas
{
    /// <summary>x as float32, in which every formula is computed.</summary>
    public static string Widen(this NodeList f, string x, DataType type) => type == DataType.Float ? x : f.Cast(x, DataType.Float);

    /// <summary>A float32 result rounded to a type.</summary>
    public static string Narrow(this NodeList f, string x, DataType type) => type == DataType.Float ? x : f.Cast(x, type);

    /// <summary>
    /// x / sqrt(mean(x²) + epsilon) · gain over the last axis (RMSNorm, arXiv 1910.07467), in the form that ONNX Runtime's
    /// optimiser recognises and runs as one kernel.
    /// </summary>
    public static string RmsNorm(this NodeList f, string x, string gain, double epsilon)
    {
        string mean = f.ReduceMean(f.Pow(x, f.Float(2)), keep: true, -1);
        return f.Mul(f.Div(x, f.Sqrt(f.Add(mean, f.Float(epsilon)))), gain);
    }

    /// <summary>The norm of activations (B, S, d), in their type.</summary>
    public static string RmsNorm(this NodeList f, string x, string gain, double epsilon, DataType type)
    {
        string wide = f.Widen(x, type);
        if (type == DataType.Bfloat16)
        {
            // ONNX Runtime takes a cast before a norm into its CUDA kernel for norms, which has no form of bfloat16 with a float32 gain.
            wide = f.Reshape(wide, 0, 0, -1);
        }
        return f.Narrow(f.RmsNorm(wide, gain, epsilon), type);
    }

    /// <summary>silu(gate) ∘ up, with silu(z) = z · sigmoid(z) (SwiGLU, arXiv 2002.05202).</summary>
    public static string SwiGlu(this NodeList f, string gate, string up) => f.Mul(f.Mul(gate, f.Sigmoid(gate)), up);

    /// <summary>
    /// Turns the pairs of the last axis (RoPE, arXiv 2104.09864): neighbours when <paramref name="interleave"/>, else the two halves.
    /// The result holds all first members, then all second ones: the order of a cached row.
    /// </summary>
    /// <param name="x">[.., width]</param>
    /// <param name="cos">[.., width / 2], as <paramref name="sin"/>.</param>
    public static string Rope(this NodeList f, string x, string cos, string sin, int width, bool interleave)
    {
        string a, b;
        if (interleave)
        {
            (a, b) = (f.Every(x, 0, 2, -1), f.Every(x, 1, 2, -1));
        }
        else
        {
            string[] halves = f.Split(x, -1, width / 2, width / 2);
            (a, b) = (halves[0], halves[1]);
        }
        return f.Concat(-1, f.Sub(f.Mul(a, cos), f.Mul(b, sin)), f.Add(f.Mul(b, cos), f.Mul(a, sin)));
    }
}
