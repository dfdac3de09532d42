using LatentMoE.Export.Formats;
using LatentMoE.Export.Sources;

namespace LatentMoE.Export.Graph;

/// <summary>
/// Writes tensors of a source, one behind the other, as one matrix of a format. The rows are read once: the scales are kept until
/// they are asked for, after the data.
/// </summary>
internal sealed class MatrixWriter(IWeightSource source, IReadOnlyList<string> parts, WeightFormat format)
{
    private MemoryStream? scales;

    public void Data(Stream stream)
    {
        var kept = new MemoryStream();
        foreach (string part in parts)
        {
            source.Read(part, rows =>
            {
                var (data, factors) = format.Encode(rows);
                stream.Write(data);
                kept.Write(factors);
            });
        }
        scales = kept.Length > 0 ? kept : null;
    }

    public void Scales(Stream stream)
    {
        (scales ?? throw new InvalidOperationException("scales are written after their data")).WriteTo(stream);
        scales = null;
    }
}
