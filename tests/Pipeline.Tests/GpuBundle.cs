namespace LatentMoE.Pipeline.Tests;

/// <summary>A bundle without what is large, made once, and a driver that models a GPU.</summary>
public sealed class GpuBundle : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("gpu-bundle").FullName;
    private readonly Lazy<string> driver;

    public GpuBundle()
    {
        driver = new(MakeDriver);
        // What the target depends on has been built with this test.
        Command.Run("dotnet", ["cake", "build", "--target=GpuBundle", "--exclusive", $"--output={Folder}", "--split=1", "--precision=int4",
            "--without=dotnet,cuda-provider,onnxruntime"]).Succeeded();
    }

    public string Folder => Path.Combine(root, "bundle");

    /// <summary>Folder of its libcuda.so.1.</summary>
    public string ModelledDriver => driver.Value;

    /// <summary>A folder for the results of one run.</summary>
    public string Results(string name) => Path.Combine(root, name);

    /// <param name="driver">Folder of the driver; null where there is to be none.</param>
    internal Outcome Run(string? driver, string results, params string[] options) => Command.Run("env",
        [$"LD_LIBRARY_PATH={driver}", "sh", Path.Combine(Folder, "run.sh"), $"--output={results}", .. options]);

    internal static string Logs(string results) =>
        string.Concat(Directory.GetFiles(results, "*.log", SearchOption.AllDirectories).Select(File.ReadAllText));

    public string CopyOfArchive()
    {
        string copy = Directory.CreateDirectory(Path.Combine(root, "copy")).FullName;
        foreach (string file in Directory.GetFiles(Folder + "-archive"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), overwrite: true);
        }
        return copy;
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string MakeDriver()
    {
        string output = Repository.ModelledDriver;
        Command.Run("make", ["--silent", "-C", Path.Combine(Repository.Root, "tests/Operators.Tests/fake_driver"), $"--jobs={Environment.ProcessorCount}",
            $"OUT={output}", Path.Combine(output, "libcuda.so.1")]).Succeeded();
        return output;
    }
}
