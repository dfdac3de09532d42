namespace LatentMoE.Benchmarks.Limits;

internal interface ILimitMeter : IDisposable
{
    /// <param name="activations">The type that the model computes in: f32, f16 or bf16.</param>
    /// <returns>Null where they are not known.</returns>
    MachineLimits? Measure(string activations);
}
