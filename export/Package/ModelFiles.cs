using Google.Protobuf;
using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Package;

/// <summary>The graph and its weights: <c>model.onnx</c> and <c>model.onnx.data</c>.</summary>
internal sealed class ModelFiles((ModelProto Model, ExternalData Data) built)
{
    public const string Model = "model.onnx";

    /// <summary>Bytes of the weights.</summary>
    public long Length => built.Data.Length;

    /// <param name="stage">What progress is told.</param>
    public void Write(string folder, string stage, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        Create(Path.Combine(folder, Model), stream => built.Model.WriteTo(stream));
        Create(Path.Combine(folder, ExternalData.FileName), stream => built.Data.WriteTo(stream, written =>
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new(stage, (double)written / Length));
        }));
    }

    private static void Create(string path, Action<Stream> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        write(stream);
        stream.Flush(flushToDisk: true);
    }
}
