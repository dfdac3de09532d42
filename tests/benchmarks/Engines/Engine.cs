using LatentMoE.Benchmarks.Models;
using LatentMoE.Checkpoints;
using LatentMoE.Runtime;
using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>
/// One way to run a package in ONNX Runtime: <c>latentmoe</c> with the operator library (<c>latentmoe-plain</c>, <c>-avx2</c>,
/// <c>-avx512</c>, <c>-amx</c> with that instruction set, <c>-noamx</c> with the best but AMX), <c>bodies</c> with the standard operators
/// of the file, <c>contrib</c> with ONNX Runtime's own operators. <c>latentmoe@FILE</c> takes another build of the library, to compare
/// two builds in one run. On a CUDA device, <c>latentmoe-graph</c> captures a step of decode and replays it.
/// </summary>
/// <param name="Library">Path of the operator library; null where none is registered.</param>
/// <param name="Device">One of <see cref="Devices"/>.</param>
internal sealed record Engine(string Name, string? Library, string Device = Engine.Cpu)
{
    public const string LatentMoE = "latentmoe", Bodies = "bodies", Contrib = "contrib", WithoutAmx = "latentmoe-noamx", Graph = "latentmoe-graph";
    public const string Cpu = "cpu", Cuda = "cuda";

    public static IReadOnlyList<string> Names { get; } =
        [LatentMoE, "latentmoe-plain", "latentmoe-avx2", "latentmoe-avx512", "latentmoe-amx", WithoutAmx, Graph, Bodies, Contrib];

    public static IReadOnlyList<string> Devices { get; } = [Cpu, Cuda];

    /// <summary>The standard bodies may do better with a cache that grows; the others, and whatever lies on a device, are written in place.</summary>
    public bool MayGrow => Library is null && Device == Cpu;

    public bool Captures => Kind(Name) == Graph;

    /// <summary>The same without capturing: what is captured cannot be looked into.</summary>
    public Engine Uncaptured => Captures ? this with { Name = Name.Replace(Graph, LatentMoE, StringComparison.Ordinal) } : this;

    private string? InstructionSet =>
        Kind(Name) == WithoutAmx ? "avx512" : !Captures && Kind(Name).Split('-') is [LatentMoE, var set] ? set : null;

    /// <summary>Whether a case is this engine's: only single steps are captured.</summary>
    public bool Runs(Case point) => !Captures || point.Sequence == 1;

    /// <summary>Whether a row's engine is one of these, and not a peer.</summary>
    public static bool IsKnown(string name) => Names.Contains(Kind(name));

    /// <exception cref="ArgumentException">There is no engine of that name.</exception>
    /// <exception cref="CheckpointException">The engine needs the operator library, and there is none.</exception>
    public static Engine Of(string name, string? library, string device = Cpu)
    {
        if (!IsKnown(name) || (Kind(name) == Graph && device != Cuda))
        {
            throw new ArgumentException($"--engine is {name}; expected one of {string.Join(", ", Names)}, of which {Graph} needs --device=cuda.");
        }
        if (Kind(name) is Bodies or Contrib)
        {
            return new(Kind(name), null, device);
        }
        library = name.Contains('@', StringComparison.Ordinal) ? name[(name.IndexOf('@') + 1)..] : library;
        return new(name, OperatorLibrary.Find(new LanguageModelOptions { OperatorLibrary = library }) ?? throw new CheckpointException(
            $"engine {name} needs {OperatorLibrary.FileName}; looked in {string.Join(", ", OperatorLibrary.Folders)}. "
            + "Build the runtime project, or give --library."), device);
    }

    /// <summary>A session of the package, with extra settings made before the library is registered.</summary>
    /// <exception cref="NotSupportedException">CUDA cannot be used; the message says why.</exception>
    public InferenceSession Load(PackageModel model, int threads, Action<SessionOptions>? configure = null)
    {
        using var options = Options(threads, configure);
        return Name == Contrib ? FromBytes(ContribModel.Of(model.Proto), model, options) : new InferenceSession(model.Path, options);
    }

    /// <summary>A session of a changed graph of the package.</summary>
    public InferenceSession Load(ExpertOutputs changed, PackageModel model, int threads)
    {
        using var options = Options(threads, null);
        return FromBytes(Name == Contrib ? ContribModel.Of(changed.Model) : changed.Model, model, options);
    }

    private static string Kind(string name) => name.Split('@')[0];

    private SessionOptions Options(int threads, Action<SessionOptions>? configure)
    {
        var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = threads };
        if (Device == Cuda)
        {
            if (CudaSupport.Missing(Library) is { } missing)
            {
                throw new NotSupportedException(missing);
            }
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new() { ["enable_cuda_graph"] = Captures ? "1" : "0", ["use_tf32"] = "0" });
            options.AppendExecutionProvider_CUDA(cuda);
        }
        configure?.Invoke(options);
        if (Library is not null)
        {
            if (InstructionSet is { } set)
            {
                options.AddSessionConfigEntry("latentmoe.isa", set);
            }
            options.RegisterCustomOpLibrary(Library);
        }
        return options;
    }

    private static InferenceSession FromBytes(Export.Onnx.ModelProto proto, PackageModel model, SessionOptions options)
    {
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", model.Folder);
        return new InferenceSession(Google.Protobuf.MessageExtensions.ToByteArray(proto), options);
    }
}
