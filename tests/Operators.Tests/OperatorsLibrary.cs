using System.Text.RegularExpressions;
using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Operators.Tests;

/// <summary>The library that the build put beside this assembly.</summary>
internal static class OperatorsLibrary
{
    public static string Path { get; } = OperatorLibrary.Find(new())
        ?? throw new InvalidOperationException($"{OperatorLibrary.FileName} is in none of {string.Join(", ", OperatorLibrary.Folders)}");

    /// <summary>The instruction sets that this machine has a path for, as the library itself says.</summary>
    public static IReadOnlyList<string> InstructionSets { get; } = ReadInstructionSets();

    /// <summary>The same library with its CUDA kernels, run by the emulation, in place of the CPU's.</summary>
    public const string Emulated = "emulated";

    private static readonly Lazy<string> emulated = new(() => System.IO.Path.Combine(NativeBuild.Make("fake_driver", "libemulated_ops.so"), "libemulated_ops.so"));

    /// <summary>Adds the library to a session's options.</summary>
    /// <param name="isa">The path to force, or null for the best; or <see cref="Emulated"/>.</param>
    /// <param name="disable">Operators, comma-separated, that are left to their bodies.</param>
    public static void Register(SessionOptions options, string? isa = null, string? disable = null)
    {
        foreach (var (key, value) in new[] { ("latentmoe.isa", isa == Emulated ? null : isa), ("latentmoe.disable", disable) })
        {
            if (value is not null)
            {
                options.AddSessionConfigEntry(key, value);
            }
        }
        options.RegisterCustomOpLibrary(isa == Emulated ? emulated.Value : Path);
    }

    private static string[] ReadInstructionSets()
    {
        using var options = new SessionOptions();
        var error = Assert.Throws<OnnxRuntimeException>(() => Register(options, isa: "none"));
        var list = Regex.Match(error.Message, @"'none', and this machine has ([\w, ]+)");
        Assert.True(list.Success, $"no list of instruction sets in: {error.Message}");
        return list.Groups[1].Value.Split(", ");
    }
}
