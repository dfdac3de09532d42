using Google.Protobuf;
using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Package;

/// <summary>The graph and its weights: <c>model.onnx</c> and <c>model.onnx.data</c>.</summary>
internal static class ModelFiles
{
    public const string Model = "model.onnx";

    public static void Write(
        string folder, ModelProto model, ExternalData data, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        Create(Path.Combine(folder, Model), stream => model.WriteTo(stream));
        Create(Path.Combine(folder, ExternalData.FileName), stream => data.WriteTo(stream, written =>
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new("writing weights", (double)written / data.Length));
        }));
    }

    private static void Create(string path, Action<Stream> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        write(stream);
        stream.Flush(flushToDisk: true);
    }
}
