using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>
/// How matrices are stored: the tensors that hold one, the bytes in them, and the standard operators that give its elements back as
/// float32. A matrix is one tensor, or two where its elements share scales.
/// </summary>
internal abstract class WeightFormat
{
    public static WeightFormat Float32 { get; } = new FloatFormat(DataType.Float);
    public static WeightFormat Float16 { get; } = new FloatFormat(DataType.Float16);
    public static WeightFormat BFloat16 { get; } = new FloatFormat(DataType.Bfloat16);

    /// <summary>Ends the name of an operator that takes such matrices.</summary>
    public virtual string Suffix => "";

    /// <summary>What such an operator has beside its other attributes.</summary>
    public virtual IReadOnlyList<AttributeProto> Attributes => [];

    /// <summary>Whether a matrix is two tensors, its data and its scales.</summary>
    public virtual bool Scaled => false;

    /// <summary>The names of the tensors that hold the matrix <paramref name="name"/>.</summary>
    public string[] Names(string name) => Scaled ? [name, name + "_scales"] : [name];

    /// <summary>The tensors that hold a matrix, or a stack of them, of the given shape.</summary>
    public abstract StoredTensor[] Tensors(string name, long[] shape);

    /// <exception cref="Checkpoints.CheckpointException">A value is beyond what the format holds.</exception>
    public abstract EncodedRows Encode(WeightRows rows);

    /// <summary>The values that <see cref="Widen"/> computes from the bytes.</summary>
    public abstract float[] Decode(EncodedRows rows);

    /// <summary>float32 elements of a stored matrix, or of what was gathered from its tensors alike.</summary>
    /// <param name="parts">The tensors, in the order of <see cref="Names"/>.</param>
    /// <param name="rank">Their number of axes.</param>
    public abstract string Widen(NodeList f, string[] parts, int rank);
}

/// <summary>A tensor of the data file.</summary>
internal readonly record struct StoredTensor(string Name, DataType Type, long[] Shape);

/// <summary>Rows as the data file holds them.</summary>
/// <param name="Scales">Empty in a format without.</param>
internal readonly record struct EncodedRows(byte[] Data, byte[] Scales);
