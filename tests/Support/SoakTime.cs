namespace LatentMoE.Tests.Support;

/// <summary>How long a test that could go on for ever does: a short time in Test, LATENTMOE_SOAK seconds in Soak.</summary>
public static class SoakTime
{
    /// <summary>Whether this is a long run.</summary>
    public static bool IsLong => Seconds is not null;

    public static TimeSpan Or(double seconds) => TimeSpan.FromSeconds(Seconds ?? seconds);

    private static double? Seconds => double.TryParse(Environment.GetEnvironmentVariable("LATENTMOE_SOAK"), out double seconds) ? seconds : null;
}
