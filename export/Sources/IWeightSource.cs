using LatentMoE.Export.Formats;

namespace LatentMoE.Export.Sources;

/// <summary>Takes some rows of a tensor.</summary>
internal delegate void RowReader(WeightRows rows);

/// <summary>The weights of a model under their Hugging Face names, read a few rows at a time.</summary>
internal interface IWeightSource
{
    bool Has(string name);

    long[] Shape(string name);

    /// <summary>Hands out a tensor's rows in order.</summary>
    /// <exception cref="Checkpoints.CheckpointException">A value is not finite.</exception>
    void Read(string name, RowReader read);
}
