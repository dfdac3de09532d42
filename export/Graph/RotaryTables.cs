using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>
/// Cosines and sines of position · theta^(−2i/width), [max_position_embeddings, width / 2], as two weights that all layers share.
/// </summary>
internal sealed class RotaryTables
{
    public RotaryTables(GraphBuilder graph, ModelConfig config, DataType type)
    {
        var format = new FloatFormat(type);
        long[] shape = [config.MaxPositionEmbeddings, config.RopeDim / 2];
        Cos = graph.Weight("rotary.cos", type, shape, stream => Write(stream, config, format, Math.Cos));
        Sin = graph.Weight("rotary.sin", type, shape, stream => Write(stream, config, format, Math.Sin));
    }

    public string Cos { get; }
    public string Sin { get; }

    private static void Write(Stream stream, ModelConfig config, FloatFormat format, Func<double, double> function)
    {
        var row = new float[config.RopeDim / 2];
        for (int position = 0; position < config.MaxPositionEmbeddings; position++)
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = (float)function(position * Math.Pow(config.RopeTheta, -2.0 * i / config.RopeDim));
            }
            stream.Write(format.Encode(new WeightRows("rotary tables", 0, row)).Data);
        }
    }
}
