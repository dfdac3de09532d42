namespace LatentMoE.Export.Tests.Field;

/// <summary>The operator library that the runtime's projects build, where they have been built in the same configuration.</summary>
internal static class BuiltOperators
{
    public static string? Path { get; } = Find();

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Pipeline.sln")))
            {
                string output = System.IO.Path.GetRelativePath(System.IO.Path.Combine(folder.FullName, "tests/Export.Tests"), AppContext.BaseDirectory);
                string library = System.IO.Path.Combine(folder.FullName, "runtime/cli", output, "runtimes/linux-x64/native/liblatentmoe_ops.so");
                return File.Exists(library) ? library : null;
            }
        }
        return null;
    }
}

/// <summary>A theory that needs the operator library; skipped, with the reason, where it has not been built.</summary>
public sealed class OperatorsTheoryAttribute : TheoryAttribute
{
    public OperatorsTheoryAttribute() => Skip = BuiltOperators.Path is null ? "the operator library has not been built beside this test: build the solution" : null;
}
