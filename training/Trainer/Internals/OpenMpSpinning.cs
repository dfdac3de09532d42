using System.Runtime.InteropServices;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// libgomp's threads spin for milliseconds at the end of each parallel loop, of which a step has thousands. Where another
/// process wants the same core, each waits for a time slice and training slows down tenfold and more; threads that soon sleep do not.
/// </summary>
internal static partial class OpenMpSpinning
{
    private const string SpinCount = "GOMP_SPINCOUNT", WaitPolicy = "OMP_WAIT_POLICY";

    /// <summary>Spins before a thread sleeps: some tens of microseconds, as long as the parts of a step between two loops.</summary>
    private const string Spins = "2000";

    /// <summary>To be called before anything of torch: libgomp reads the C environment once, when it is loaded. The user's own setting stands.</summary>
    public static void Limit()
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable(SpinCount) is null && Environment.GetEnvironmentVariable(WaitPolicy) is null)
        {
            _ = SetEnvironment(SpinCount, Spins, 0); // the runtime's own SetEnvironmentVariable does not reach native code
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
