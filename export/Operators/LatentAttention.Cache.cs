using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

// The cache: a token's slot is its position; the buffer has max(P, T) columns; tokens that the mask or a negative position
// marks dead are written to one spare column behind them, which no query sees and no output holds.
internal sealed partial class LatentAttention
{
    // past (B, 1, P, w/2) and row (B, 1, S, w/2) → all cached rows and the spare one (B, 1, max(P, T) + 1, w/2)
    private string Write(NodeList f, string past, string missing, string indices, string row)
    {
        if (cache == DataType.Float16)
        {
            // Older runtimes do not pad float16.
            string room = f.HalfZeros(f.Concat(0, f.Shape(past, 0, 2), missing, f.Shape(past, 3, 4)));
            return f.ScatterND(f.Concat(2, past, room), indices, f.Cast(row, cache));
        }
        // ONNX Runtime neither pads nor scatters bfloat16 on the CPU: there the buffer holds its values as float32.
        string rounded = f.Widen(f.Narrow(row, cache), cache);
        return f.ScatterND(f.PadEnd(f.Widen(past, cache), missing, 2), indices, rounded);
    }

    // Columns of a buffer as an output holds them, and as the forms read them.
    private string Stored(NodeList f, string columns) => cache == DataType.Bfloat16 ? f.Cast(columns, cache) : columns;

    private string Read(NodeList f, string columns) => cache == DataType.Float16 ? f.Cast(columns, DataType.Float) : columns;

    // Columns to append: the spare one, and those that the mask has beyond the past.
    private static string Missing(NodeList f)
    {
        string wanted = f.Add(f.Shape("attention_mask", 1, 2), f.Ints(1));
        return f.Max(f.Sub(wanted, f.Shape("past_key", 2, 3)), f.Ints(1));
    }

    // slot (B, S) → (row, 0, column) of every token (B, 1, S, 3); column −1 is the spare one.
    private static string Indices(NodeList f, string slot)
    {
        // Axes one at a time: with constants of one number, all layers share these nodes.
        string column = f.Unsqueeze(f.Unsqueeze(slot, 1), 3), shape = f.Shape(column); // (B, 1, S, 1)
        string batch = f.Range(f.Int(0), f.Squeeze(f.Shape("position_ids", 0, 1), 0));
        batch = f.Unsqueeze(f.Unsqueeze(f.Unsqueeze(batch, 1), 1), 1); // (B, 1, 1, 1)
        return f.Concat(3, f.Expand(batch, shape), f.Expand(f.Int(0), shape), column);
    }

    // (B, S): position ≥ 0 and a mask of one. The S tokens lie under the last S columns of the mask that any row uses.
    private static string Live(NodeList f)
    {
        string total = f.Squeeze(f.Shape("attention_mask", 1, 2), 0), tokens = f.Shape("position_ids", 1, 2);
        string mask = f.Cast("attention_mask", DataType.Bool), ordinals = f.Add(f.Range(f.Int(0), total), f.Int(1));
        string used = f.Reshape(f.ReduceMax(f.Where(mask, ordinals, f.Int(0)), keep: false), 1);
        string start = f.Max(f.Sub(used, tokens), f.Ints(0));
        string window = f.Slice(mask, start, f.Add(start, tokens), 1);
        return f.And(window, f.GreaterOrEqual("position_ids", f.Int(0)));
    }
}
