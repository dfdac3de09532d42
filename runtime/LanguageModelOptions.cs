using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime;

/// <summary>How a package is loaded.</summary>
public sealed record LanguageModelOptions
{
    /// <summary>Where to run.</summary>
    public Device Device { get; init; } = Device.Auto;

    /// <summary>Threads inside an operator; null as ONNX Runtime decides (one for each physical core).</summary>
    public int? Threads { get; init; }

    /// <summary>Tokens of prompt and answer together; null is the package's own limit, a smaller number takes a smaller cache.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Prompt tokens read in one run: more is faster and takes more memory.</summary>
    public int PrefillChunk { get; init; } = 256;

    /// <summary>Generations that run at the same time, each with a cache of its own; further ones wait for their turn.</summary>
    public int MaxConcurrency { get; init; } = 4;

    /// <summary>
    /// The native operator library. Null takes <c>liblatentmoe_ops.so</c> beside the application's assemblies or in its
    /// <c>runtimes/linux-x64/native</c>, where there is one. The package's folder is never searched: data must not bring code.
    /// </summary>
    public string? OperatorLibrary { get; init; }

    /// <summary>False runs the standard-operator bodies even where an operator library is found.</summary>
    public bool UseOperatorLibrary { get; init; } = true;

    /// <summary>Further settings, made before the operator library is registered.</summary>
    public Action<SessionOptions>? ConfigureSession { get; init; }

    /// <summary>Says which device and operators are used, and why.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>
    /// Runs what <see cref="Device.Cuda"/> does, but for the CUDA provider itself, on the CPU: for tests, with an operator library whose
    /// kernels run there.
    /// </summary>
    internal bool PretendDevice { get; init; }

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Validate()
    {
        Require(Enum.IsDefined(Device), nameof(Device), Device, "Auto, Cpu or Cuda");
        Require(Threads is null or > 0, nameof(Threads), Threads, "null or at least 1");
        Require(ContextLength is null or > 1, nameof(ContextLength), ContextLength, "null or at least 2");
        Require(PrefillChunk > 0, nameof(PrefillChunk), PrefillChunk, "at least 1");
        Require(MaxConcurrency > 0, nameof(MaxConcurrency), MaxConcurrency, "at least 1");
    }

    private static void Require(bool ok, string name, object? value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"{name} is {value}; expected {range}.");
        }
    }
}
