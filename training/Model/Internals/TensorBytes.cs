using LatentMoE.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>Tensors to and from the bytes of safetensors files, on whatever device they live.</summary>
internal static class TensorBytes
{
    private const long Part = 1 << 24;

    /// <summary>Writes the values as float32, row-major.</summary>
    public static void Write(Tensor values, Stream stream)
    {
        using var scope = NewDisposeScope();
        var flat = values.detach().flatten();
        for (long at = 0; at < flat.numel(); at += Part)
        {
            stream.Write(flat.narrow(0, at, Math.Min(Part, flat.numel() - at)).to(ScalarType.Float32).cpu().contiguous().bytes);
        }
    }

    public static SafetensorsEntry Entry(string name, Tensor values) =>
        new(name, SafetensorsType.F32, values.shape, stream => Write(values, stream));

    /// <summary>Overwrites <paramref name="target"/> with stored values of the same shape.</summary>
    /// <exception cref="CheckpointException">The stored tensor has another shape.</exception>
    public static void Read(SafetensorsTensor stored, Tensor target) => Fill(target, stored.Expect(target.shape).ToFloat32());

    /// <summary>The same for a tensor of a checkpoint, which may be quantised.</summary>
    /// <exception cref="CheckpointException">There is no such tensor, or it has another shape.</exception>
    public static void Read(CheckpointTensors tensors, string name, Tensor target)
    {
        tensors[name].Expect(target.shape);
        Fill(target, tensors.ToFloat32(name));
    }

    private static void Fill(Tensor target, float[] values)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        target.copy_(tensor(values, target.shape));
    }
}
