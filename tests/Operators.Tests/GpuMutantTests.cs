namespace LatentMoE.Operators.Tests;

/// <summary>The kernels' tests fail where a kernel is wrong: each mistake is planted into a copy of its source, and the tests run with that.</summary>
public sealed class GpuMutantTests
{
    /// <summary>A mistake in a file of the kernels, and one kernel file that includes it, if it is not one itself.</summary>
    private sealed record Mutant(string File, string Kernel, string Right, string Wrong, params string[] Tests);

    private static readonly Dictionary<string, Mutant> mutants = new()
    {
        ["norm without its barrier"] = new("add_rms_norm.cu", "add_rms_norm", "        block_barrier();\n", "", "add_rms_norm"),
        ["norm of another row's sum"] = new("add_rms_norm.cu", "add_rms_norm",
            "parts[thread / row_threads * (row_threads / 32) + i]", "parts[i]", "add_rms_norm"),
        ["linear without its barrier"] = new("linear_rows.cuh", "linear_f32", "            block_barrier();\n", "", "linear"),
        ["linear with another block's scale"] = new("linear_rows.cuh", "linear_f32",
            "(column + i * 16) >> shift", "(column + i * 16) >> (shift + 1)", "linear"),
        ["tiles without a wait"] = new("tiles.cuh", "experts_tiles_f16_f16",
            "copy_async_wait<Shape::stages - 2>();", "copy_async_wait<Shape::stages - 1>();", "experts"),
        ["tiles without a barrier"] = new("tiles.cuh", "experts_tiles_f16_f16",
            "copy_async_wait<Shape::stages - 2>();\n            block_barrier();", "copy_async_wait<Shape::stages - 2>();", "experts"),
        ["tiles beyond the last column"] = new("tiles.cuh", "experts_tiles_f16_f16",
            "column < columns ? missing : 0xFFFFFFFF", "missing", "experts"),
        ["router that takes the last of equals"] = new("router_choice.cuh", "router", "if (keys[i] > best) {", "if (keys[i] >= best) {", "router"),
        ["router whose wrong lane takes the key"] = new("router_choice.cuh", "router",
            "index % 32 == int32_t(lane_index())", "index % 32 == int32_t(lane_index() ^ 1)", "router"),
        ["router beyond the last expert"] = new("router.cu", "router", " && expert < experts && token < count", " && token < count", "router"),
        ["selection without a barrier"] = new("select_token.cuh", "select_token",
            "totals()[warp_index()] = value;\n        }\n        block_barrier();", "totals()[warp_index()] = value;\n        }", "select_token"),
        ["absorbed attention to the next column"] = new("latent_attention_split.cu", "latent_attention_split",
            "done + lane < softmax.seen[i]", "done + lane <= softmax.seen[i]", "latent_attention"),
        ["absorbed attention with swapped lanes"] = new("latent_attention_split.cu", "latent_attention_split",
            "(lane / 16 * 8 + lane % 8) * room.pitch + lane / 8 % 2 * 8", "(lane / 8 % 2 * 8 + lane % 8) * room.pitch + lane / 16 * 8",
            "latent_attention"),
        ["full attention to the next column"] = new("latent_attention_full.cu", "latent_attention_full",
            "lane % 4 * 2 + i % 2 < seen[half]", "lane % 4 * 2 + i % 2 <= seen[half]", "latent_attention"),
        ["merged splits without a barrier"] = new("latent_attention_combine.cu", "latent_attention_combine",
            "    block_barrier();\n    for (int32_t i = int32_t(thread_index()); i < padded; i += threads) {\n        float sum = 0;",
            "    for (int32_t i = int32_t(thread_index()); i < padded; i += threads) {\n        float sum = 0;", "latent_attention"),
    };

    public static TheoryData<string> Names { get; } = [.. mutants.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutant_IsFound(string name)
    {
        var mutant = mutants[name];
        string tests = GpuEmulationTests.Folder.Value, folder = Path.Combine(tests, "mutants", name.Replace(' ', '_').Replace('\'', '_'));
        Plant(mutant, folder);
        var (code, output) = NativeBuild.Execute("make",
            "--silent", "-C", Path.Combine(NativeBuild.Sources, "..", "gpu"), "mutant", $"OUT={tests}", $"FOLDER={folder}", $"KERNEL={mutant.Kernel}");
        Assert.True(code == 0, $"the mutant is not built:\n{output}");
        (code, output) = NativeBuild.Execute("timeout", ["60", Path.Combine(folder, "gpu_tests"), "--until-failure", .. mutant.Tests]);
        Directory.Delete(folder, recursive: true);
        Assert.True(code == 1, $"the tests {string.Join(", ", mutant.Tests)} ended with exit code {code}, expected 1, a failure:\n{output}");
    }

    private static void Plant(Mutant mutant, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(Path.Combine(NativeBuild.Sources, "..", "..", "..", "runtime", "ops", "cuda", "kernels")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }
        string path = Path.Combine(folder, mutant.File), source = File.ReadAllText(path);
        Assert.True(source.Split(mutant.Right).Length == 2, $"{mutant.File} does not have this text exactly once:\n{mutant.Right}");
        File.WriteAllText(path, source.Replace(mutant.Right, mutant.Wrong));
    }
}
