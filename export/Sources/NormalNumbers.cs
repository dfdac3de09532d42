using System.Numerics.Tensors;

namespace LatentMoE.Export.Sources;

/// <summary>Seeded numbers of a standard normal distribution (Box and Muller) from splitmix64 (Steele and others, 2014).</summary>
internal sealed class NormalNumbers(ulong seed)
{
    private const int Pairs = 1 << 12;
    private readonly float[] radius = new float[Pairs], angle = new float[Pairs], sine = new float[Pairs], cosine = new float[Pairs];
    private ulong state = seed;

    public void Fill(Span<float> values)
    {
        while (values.Length > 0)
        {
            for (int i = 0; i < Pairs; i++)
            {
                ulong bits = Next();
                radius[i] = ((bits >> 40) + 0.5f) * (1f / (1 << 24)); // Above 0 and at most 1.
                angle[i] = (bits & 0xFFFFFF) * (2 * MathF.PI / (1 << 24));
            }
            TensorPrimitives.Log(radius, radius);
            TensorPrimitives.Multiply(radius, -2, radius);
            TensorPrimitives.Sqrt(radius, radius);
            TensorPrimitives.SinCos(angle, sine, cosine);
            TensorPrimitives.Multiply(sine, radius, sine);
            TensorPrimitives.Multiply(cosine, radius, cosine);
            int first = Math.Min(values.Length, Pairs), second = Math.Min(values.Length - first, Pairs);
            sine.AsSpan(0, first).CopyTo(values);
            cosine.AsSpan(0, second).CopyTo(values[first..]);
            values = values[(first + second)..];
        }
    }

    private ulong Next()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
