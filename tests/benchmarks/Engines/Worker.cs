using System.Diagnostics;
using System.Text.Json;
using LatentMoE.Benchmarks.Models;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>
/// One engine with one package in a process of its own, so that neither threads nor memory of two engines mix. Serves requests from
/// its input until that ends.
/// </summary>
internal sealed class Worker : IDisposable
{
    /// <summary>Begins each answer: a library may write to the output as well.</summary>
    public const string Mark = "#worker ";

    private readonly Engine engine;
    private readonly PackageModel model;
    private readonly int threads;
    private readonly long emptyBytes;
    private InferenceSession? session;
    private Workload? workload;
    private Case? point;
    private bool grow;

    private Worker(Request request)
    {
        engine = new Engine(request.Engine!, request.Library, request.Device!);
        model = PackageModel.Load(request.Folder!);
        threads = request.Threads;
        EmptySession.Run(threads);
        emptyBytes = ResidentMemory.Read();
    }

    public static int Serve(TextReader input, TextWriter output)
    {
        Worker? worker = null;
        while (input.ReadLine() is { } line)
        {
            Response response;
            try
            {
                var request = JsonSerializer.Deserialize<Request>(line)!;
                if (request.Verb == Request.Open)
                {
                    worker?.Dispose();
                    worker = new Worker(request);
                }
                response = worker!.Answer(request);
            }
            catch (Exception e) // whatever it is, the other process has to hear of it
            {
                response = new() { Error = e.Message.Trim() };
            }
            output.WriteLine(Mark + JsonSerializer.Serialize(response));
            output.Flush();
        }
        worker?.Dispose();
        return 0;
    }

    public void Dispose()
    {
        workload?.Dispose();
        session?.Dispose();
    }

    private Response Answer(Request request)
    {
        switch (request.Verb)
        {
            case Request.Open:
                session = engine.Load(model, threads);
                return new();
            case Request.Prepare:
                workload?.Dispose();
                (point, grow) = (request.Point!, request.Grow);
                workload = Workload.Create(engine, session!, model, point, grow);
                return new() { CacheMode = workload.CacheMode };
            case Request.Run:
                return new() { Seconds = workload!.Run(request.Seed) };
            case Request.Memory:
                return new() { Bytes = ResidentMemory.Read() - emptyBytes };
            case Request.Load:
                return new() { Seconds = Load() };
            case Request.Experts:
                return new() { Experts = ExpertCounter.Count(engine.Uncaptured, model, threads, point!, request.Seed) };
            case Request.Profile:
                return new() { Profile = Profiler.Run(engine.Uncaptured, model, threads, point!, grow) };
            default:
                throw new ArgumentException($"a worker knows no {request.Verb}");
        }
    }

    private double Load()
    {
        long start = Stopwatch.GetTimestamp();
        using var again = engine.Load(model, threads);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
