using System.Diagnostics;
using System.Text.Json;
using LatentMoE.Benchmarks.Models;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>An engine that could not do what it was asked for; the message is ONNX Runtime's own.</summary>
internal sealed class WorkerException(string message) : Exception(message);

/// <summary>The near side of a <see cref="Worker"/>.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process process;

    /// <exception cref="WorkerException">The engine cannot load the package.</exception>
    public WorkerProcess(Engine engine, PackageModel model, int threads)
    {
        Engine = engine;
        var start = SiblingProgram.Start("LatentMoE.Benchmarks", "worker");
        start.RedirectStandardInput = true;
        process = Process.Start(start)!;
        try
        {
            Ask(new(Request.Open)
            {
                Engine = engine.Name, Library = engine.Library, Device = engine.Device, Folder = model.Folder, Threads = threads,
            });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Engine Engine { get; }

    public string Prepare(Case point, bool grow) => Ask(new(Request.Prepare) { Point = point, Grow = grow }).CacheMode!;

    /// <returns>Seconds.</returns>
    public double Run(ulong seed) => Ask(new(Request.Run) { Seed = seed }).Seconds;

    /// <summary>Growth of resident memory over an empty session.</summary>
    public long Memory() => Ask(new(Request.Memory)).Bytes;

    /// <returns>Seconds that a further session takes to load.</returns>
    public double Load() => Ask(new(Request.Load)).Seconds;

    public ExpertCount Experts(ulong seed) => Ask(new(Request.Experts) { Seed = seed }).Experts!;

    public OperatorProfile Profile() => Ask(new(Request.Profile)).Profile!;

    public void Dispose()
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }
        if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            process.Kill();
        }
        process.Dispose();
    }

    private Response Ask(Request request)
    {
        try
        {
            process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended, as the missing answer says below.
        }
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith(Worker.Mark, StringComparison.Ordinal))
            {
                var response = JsonSerializer.Deserialize<Response>(line[Worker.Mark.Length..])!;
                return response.Error is null ? response : throw new WorkerException(response.Error);
            }
        }
        process.WaitForExit();
        throw new WorkerException($"the process of {Engine.Name} ended with exit code {process.ExitCode} at \"{request.Verb}\"");
    }
}
