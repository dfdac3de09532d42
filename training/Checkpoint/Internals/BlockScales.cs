using System.Numerics.Tensors;

namespace LatentMoE.Checkpoints.Internals;

/// <summary>The factors of one matrix in F8_E4M3, [ceil(rows / block rows), ceil(columns / block columns)].</summary>
internal sealed class BlockScales
{
    private readonly BlockQuantization blocks;
    private readonly int columns;
    private readonly SafetensorsTensor scales;

    /// <exception cref="CheckpointException">They are of another type or shape.</exception>
    public BlockScales(SafetensorsTensor weight, SafetensorsTensor scales, BlockQuantization blocks)
    {
        (this.blocks, this.scales) = (blocks, scales);
        if (weight.Shape.Count != 2)
        {
            throw new CheckpointException($"{weight.File}: tensor {weight.Name} is F8_E4M3 of shape [{string.Join(", ", weight.Shape)}]; only matrices have "
                + "factors in blocks.");
        }
        columns = checked((int)weight.Shape[1]);
        if (scales.DType is not (SafetensorsType.F32 or SafetensorsType.BF16 or SafetensorsType.F16 or SafetensorsType.F8_E8M0))
        {
            throw new CheckpointException($"{scales.File}: tensor {scales.Name} is {scales.DType}; expected F32, BF16, F16 or F8_E8M0.");
        }
        long[] expected = blocks.ScaleShape(weight.Shape);
        if (!scales.Shape.SequenceEqual(expected))
        {
            throw new CheckpointException($"{scales.File}: tensor {scales.Name} has shape [{string.Join(", ", scales.Shape)}]; blocks of "
                + $"{blocks.Rows} x {blocks.Columns} (weight_block_size in config.json) of {weight.Name} [{string.Join(", ", weight.Shape)}] ask for "
                + $"[{string.Join(", ", expected)}].");
        }
    }

    /// <summary>Multiplies elements, from number <paramref name="first"/> of the matrix on, by the factors of their blocks.</summary>
    public void Apply(long first, Span<float> values)
    {
        int across = (columns + blocks.Columns - 1) / blocks.Columns;
        var factors = new float[across];
        long known = -1;
        for (int done = 0; done < values.Length;)
        {
            long row = (first + done) / columns, blockRow = row / blocks.Rows;
            int column = (int)((first + done) % columns), block = column / blocks.Columns;
            if (blockRow != known)
            {
                scales.ToFloat32(blockRow * across, factors);
                known = blockRow;
            }
            int length = Math.Min(Math.Min((block + 1) * blocks.Columns, columns) - column, values.Length - done);
            var part = values.Slice(done, length);
            TensorPrimitives.Multiply(part, factors[block], part);
            done += length;
        }
    }
}
