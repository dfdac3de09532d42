using System.Runtime.Intrinsics.X86;
using LatentMoE.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Trainer;

/// <summary>Where a model is computed and in which dtype its products run. Weights and optimizer state are float32 everywhere.</summary>
/// <param name="Device">CPU or CUDA.</param>
/// <param name="Dtype">Float32 or BFloat16.</param>
public sealed record ComputeDevice(Device Device, ScalarType Dtype)
{
    public bool IsCuda => Device.type == DeviceType.CUDA;

    /// <summary>For logs: <c>cpu, bf16 products, 2 threads</c>.</summary>
    public string Description =>
        $"{(IsCuda ? "cuda" : "cpu")}, {(Dtype == ScalarType.BFloat16 ? "bf16" : "float32")} products{(IsCuda ? "" : get_num_threads() is int n && n > 1 ? $", {n} threads" : ", 1 thread")}";

    /// <param name="device"><c>auto</c> (CUDA where it is usable), <c>cpu</c> or <c>cuda</c>.</param>
    /// <param name="dtype"><c>auto</c> (bf16 on CUDA and on processors with bf16 products), <c>float32</c> or <c>bf16</c>.</param>
    /// <exception cref="CheckpointException">CUDA was asked for and is not usable, or a name is unknown.</exception>
    public static ComputeDevice Choose(string device, string dtype)
    {
        bool usable = device != "cpu" && cuda.is_available();
        if (device == "cuda" && !usable)
        {
            throw new CheckpointException("device cuda: libtorch finds no usable CUDA device; use --device=cpu, or install a driver and the CUDA build of TorchSharp.");
        }
        if (device is not ("auto" or "cpu" or "cuda"))
        {
            throw new CheckpointException($"device is \"{device}\"; expected auto, cpu or cuda.");
        }
        UseAllCores();
        var type = dtype switch
        {
            "float32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            "auto" => usable || HasBf16Products() ? ScalarType.BFloat16 : ScalarType.Float32,
            _ => throw new CheckpointException($"dtype is \"{dtype}\"; expected auto, float32 or bf16."),
        };
        return new ComputeDevice(usable ? CUDA : CPU, type);
    }

    /// <summary>Operations a second of a large matrix product here: what the model's own rate is compared with.</summary>
    public double MeasurePeak()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int n = IsCuda ? 8192 : 1024;
        var a = ones([n, n], Dtype, Device);
        double best = 0;
        for (int i = 0; i < 5; i++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            using var product = a.matmul(a);
            product[0, 0].to(ScalarType.Float32).item<float>(); // waits for a device
            best = Math.Max(best, 2.0 * n * n * n / System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    // Some builds of libtorch start with one thread.
    private static void UseAllCores()
    {
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null && get_num_threads() != Environment.ProcessorCount)
        {
            set_num_threads(Environment.ProcessorCount);
        }
    }

    // CPUID leaf 7, subleaf 1, EAX bit 5: AVX512_BF16; subleaf 0, EDX bit 22: AMX_BF16.
    private static bool HasBf16Products() =>
        X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && ((X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0 || (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0)
        && Avx512F.IsSupported;
}
