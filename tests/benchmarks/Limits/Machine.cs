using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Benchmarks.Limits;

/// <summary>The machine and the software that rows were measured with.</summary>
internal sealed record Machine(string Cpu, string InstructionSets, int Cores, string OperatingSystem, string OnnxRuntime)
{
    private static readonly string[] Sets =
        ["avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"];

    public bool HasAmx => InstructionSets.Split(' ').Contains("amx_tile");

    public static Machine This() => Of(File.Exists("/proc/cpuinfo") ? File.ReadAllLines("/proc/cpuinfo") : []);

    internal static Machine Of(IReadOnlyList<string> cpuInfo)
    {
        var flags = Value("flags").Split(' ').ToHashSet();
        string model = Value("model name");
        return new(model.Length > 0 ? model : "unknown", string.Join(' ', Sets.Where(flags.Contains)), Environment.ProcessorCount,
            RuntimeInformation.OSDescription, OrtEnv.Instance().GetVersionString());

        string Value(string key) =>
            cpuInfo.FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':', 2)[^1].Trim() ?? "";
    }
}
