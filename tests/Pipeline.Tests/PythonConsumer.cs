namespace LatentMoE.Pipeline.Tests;

/// <summary>The Python consumer, and why it cannot run where it cannot.</summary>
internal static class PythonConsumer
{
    private static readonly Lazy<string?> Why = new(Probe);

    /// <summary>Null where Python has ONNX Runtime and NumPy.</summary>
    public static string? Missing => Why.Value;

    public static Outcome Run(string[] arguments) => Command.Run("python3", [Repository.PythonConsumer, .. arguments]);

    private static string? Probe()
    {
        const string Need = "the Python consumer needs python3 with onnxruntime and numpy: ";
        try
        {
            var outcome = Command.Run("python3", ["-c", "import onnxruntime, numpy"]);
            return outcome.ExitCode == 0 ? null : Need + outcome.Error.TrimEnd().Split('\n')[^1];
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return Need + e.Message;
        }
    }
}

/// <summary>A theory that is skipped, with the reason, where Python has no ONNX Runtime.</summary>
internal sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute() => Skip = PythonConsumer.Missing;
}
