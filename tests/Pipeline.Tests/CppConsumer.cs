namespace LatentMoE.Pipeline.Tests;

/// <summary>The C++ consumer, built once beside this assembly from the checkout.</summary>
internal static class CppConsumer
{
    private static readonly Lazy<string> Program = new(Build);

    public static Outcome Run(params string[] arguments) => Command.Run(Program.Value, arguments);

    private static string Build()
    {
        string output = Path.Combine(AppContext.BaseDirectory, "cpp");
        Command.Run("make", ["--silent", "-C", Repository.CppConsumer, $"OUT={output}", $"INCLUDE={Repository.OnnxRuntimeInclude}",
            $"ONNXRUNTIME={Repository.OnnxRuntime}"]).Succeeded();
        return Path.Combine(output, "generate");
    }
}
