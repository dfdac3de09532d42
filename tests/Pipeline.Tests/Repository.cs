using System.Reflection;

namespace LatentMoE.Pipeline.Tests;

/// <summary>Where the built programs of this checkout lie: beside this test assembly, in the same configuration.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Training { get; } = Assembly("training", "LatentMoE.Training.dll");

    public static string Export { get; } = Assembly("export", "LatentMoE.Export.dll");

    public static string Runtime { get; } = Assembly("runtime/cli", "latentmoe.dll");

    public static string GenAIConsumer { get; } = Assembly("tests/consumers/genai", "GenAIConsumer.dll");

    public static string NodeConsumers { get; } = Path.Combine(Root, "tests/consumers/node");

    public static string CppConsumer { get; } = Path.Combine(Root, "tests/consumers/cpp");

    public static string PythonConsumer { get; } = Path.Combine(Root, "tests/consumers/python/generate.py");

    /// <summary>The native operators that the built programs use.</summary>
    public static string OperatorLibrary { get; } = Assembly("runtime/cli", "runtimes/linux-x64/native/liblatentmoe_ops.so");

    /// <summary>ONNX Runtime as the built programs use it.</summary>
    public static string OnnxRuntime { get; } = Assembly("runtime/cli", "runtimes/linux-x64/native/libonnxruntime.so");

    /// <summary>The folder of ONNX Runtime's C++ headers.</summary>
    public static string OnnxRuntimeInclude => Metadata("OnnxRuntimeInclude");

    /// <summary>The folder where NuGet has unpacked the packages of this checkout.</summary>
    public static string PackageCache => Metadata("NuGetPackageRoot");

    /// <summary>Where the operators' tests build their driver that models a GPU.</summary>
    public static string ModelledDriver { get; } = Assembly("tests/Operators.Tests", "fake_driver");

    private static string Assembly(string project, string name)
    {
        string output = Path.GetRelativePath(Path.Combine(Root, "tests/Pipeline.Tests"), AppContext.BaseDirectory);
        return Path.Combine(Root, project, output, name);
    }

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException($"no Pipeline.sln above {AppContext.BaseDirectory}");
    }
}
