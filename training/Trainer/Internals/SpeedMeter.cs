namespace LatentMoE.Training.Trainer;

/// <summary>Speed over the last steps. Only steps count: evaluations and saves do not.</summary>
internal sealed class SpeedMeter(int tokensPerStep)
{
    private const int Window = 20;

    private readonly List<double> _seconds = [];

    public void Add(double seconds) => _seconds.Add(seconds);

    public double SecondsPerStep => _seconds.TakeLast(Window).DefaultIfEmpty(0).Average();

    public double TokensPerSecond => _seconds.Count == 0 ? 0 : tokensPerStep / SecondsPerStep;
}
