using System.Globalization;
using System.Numerics.Tensors;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Formats;

/// <summary>Whole rows of a tensor of the checkpoint, all finite.</summary>
internal readonly ref struct WeightRows
{
    private readonly string name;
    private readonly long first;

    /// <param name="name">The tensor, with its file.</param>
    /// <param name="first">Number of the first element among the tensor's.</param>
    /// <exception cref="CheckpointException">A value is NaN or infinite.</exception>
    public WeightRows(string name, long first, ReadOnlySpan<float> values)
    {
        this.name = name;
        this.first = first;
        Values = values;
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude(values)))
        {
            int at = 0;
            while (float.IsFinite(values[at]))
            {
                at++;
            }
            throw Refusal(at, "expected a finite number. The run that wrote it diverged, or the file is damaged: train or fetch it again.");
        }
    }

    public ReadOnlySpan<float> Values { get; }

    /// <summary>The error that an element is no good; <paramref name="why"/> says what would be.</summary>
    public CheckpointException Refusal(int index, string why) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{name}: element {first + index} is {Values[index]:g9}; {why}"));
}
