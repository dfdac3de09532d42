using System.Runtime.InteropServices;
using LatentMoE.Runtime.Sampling;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Uniform numbers of variance one: about what normed latents and keys look like.</summary>
internal static class RandomCache
{
    public static void Fill(Span<byte> bytes, TensorElementType type, ulong seed)
    {
        var random = new RandomStream(seed);
        double range = Math.Sqrt(12);
        if (type == TensorElementType.Float)
        {
            foreach (ref float value in MemoryMarshal.Cast<byte, float>(bytes))
            {
                value = (float)((random.NextDouble() - 0.5) * range);
            }
            return;
        }
        if (type == TensorElementType.BFloat16)
        {
            foreach (ref ushort value in MemoryMarshal.Cast<byte, ushort>(bytes))
            {
                value = (ushort)(BitConverter.SingleToUInt32Bits((float)((random.NextDouble() - 0.5) * range)) >> 16);
            }
            return;
        }
        foreach (ref Half value in MemoryMarshal.Cast<byte, Half>(bytes))
        {
            value = (Half)((random.NextDouble() - 0.5) * range);
        }
    }
}
