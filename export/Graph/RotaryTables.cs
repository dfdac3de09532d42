using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>
/// Cosines and sines of every position and pair, [max_position_embeddings, width / 2], times the configuration's factor on them, as two
/// weights that all layers share.
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
        double[] frequencies = RotaryFrequencies.Of(config);
        var row = new float[frequencies.Length];
        for (int position = 0; position < config.MaxPositionEmbeddings; position++)
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = (float)(config.RotaryFactor * function(position * frequencies[i]));
            }
            stream.Write(format.Encode(new WeightRows("rotary tables", 0, row)).Data);
        }
    }
}
