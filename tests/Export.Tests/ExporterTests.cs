using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Parity;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Export.Tests;

public sealed class ExporterTests
{
    public static TheoryData<string> All => new(TestConfigs.All.Keys);

    [Theory]
    [MemberData(nameof(All))]
    public void Run_EveryFamily_MatchesItsReference(string name)
    {
        using var folder = new CheckpointFolder(TestConfigs.All[name]);

        var result = Exporter.Run(folder.Options);

        Assert.NotNull(result.Parity);
        Assert.True(result.Parity.Passed);
        Assert.Equal(["full", "grow", "share", "chunk, share", "full, plain"], result.Parity.Lines.Where(l => l.Tensor == "logits").Select(l => l.Mode));
        Assert.Equal(5 + 4 * 2 * folder.Config.NumHiddenLayers, result.Parity.Lines.Count);
        Assert.All(result.Parity.Lines, line => Assert.InRange(line.Relative, 0, 3e-6));
        Assert.Equal([folder.Checkpoint, folder.Output], Directory.EnumerateFileSystemEntries(folder.Root).Order());
        Assert.Equal(
            ["README.md", "config.json", "genai_config.json", "generation_config.json", "manifest.json", "model.onnx", "model.onnx.data", "tokenizer.json", "tokenizer_config.json"],
            Directory.EnumerateFileSystemEntries(folder.Output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(SafetensorsType.BF16)]
    [InlineData(SafetensorsType.F16)]
    public void Run_HalfPrecisionCheckpoint_WidensItExactly(SafetensorsType type)
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Select(e => Narrow(e, type)));
        var decoder = ReferenceDecoder.Open(folder.Checkpoint);
        folder.Edit("reference.safetensors", _ => Reference(decoder));

        Assert.True(Exporter.Run(folder.Options).Parity!.Passed);
    }

    [Fact]
    public void Run_OtherLogitsThanTheReference_PublishesNothing()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("reference.safetensors", entries => entries.Select(e => e.Name == "logits" ? Nudge(e, 0.01f) : e));

        var error = folder.Fails<ParityException>();

        Assert.StartsWith($"{folder.Checkpoint}: logits (", error.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was published", error.Message, StringComparison.Ordinal);
        Assert.Contains("train again", error.Message, StringComparison.Ordinal);
        Assert.False(error.Report!.Passed);
    }

    [Fact]
    public void Run_WrongWeights_PublishesNothing()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name.EndsWith("1.self_attn.kv_b_proj.weight", StringComparison.Ordinal) ? Nudge(e, 0.5f) : e));
        folder.Fails<ParityException>();
    }

    [Fact]
    public void Run_NotFiniteWeights_PublishesNothing()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name == "model.norm.weight" ? Nudge(e, float.NaN) : e));
        Assert.Contains("tensor model.norm.weight: element 24 is NaN", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FailingAgain_KeepsTheOldPackage()
    {
        using var folder = new CheckpointFolder();
        Exporter.Run(folder.Options);
        byte[] before = File.ReadAllBytes(Path.Combine(folder.Output, "manifest.json"));
        folder.Edit("reference.safetensors", entries => entries.Select(e => e.Name == "logits" ? Nudge(e, 1) : e));

        folder.Fails<ParityException>();

        Assert.Equal(before, File.ReadAllBytes(Path.Combine(folder.Output, "manifest.json")));
    }

    [Fact]
    public void Run_Again_ReplacesThePackage()
    {
        using var folder = new CheckpointFolder();
        Exporter.Run(folder.Options);
        RandomCheckpoint.Write(folder.Checkpoint, TestConfigs.TiedHead, seed: 9, tokens: 6);
        File.WriteAllText(Path.Combine(folder.Output, "left over"), "");

        var result = Exporter.Run(folder.Options);

        Assert.Equal(6, result.Parity!.Tokens);
        Assert.False(File.Exists(Path.Combine(folder.Output, "left over")));
        Assert.Equal(result.Files.Single(f => f.Name == "model.onnx.data").Size, new FileInfo(Path.Combine(folder.Output, "model.onnx.data")).Length);
    }

    [Fact]
    public void Run_WithoutReference_SaysThatParityWasNotChecked()
    {
        using var folder = new CheckpointFolder();
        File.Delete(folder.File("reference.safetensors"));

        Assert.Null(Exporter.Run(folder.Options).Parity);

        Assert.Contains("**Not checked**", File.ReadAllText(Path.Combine(folder.Output, "README.md")), StringComparison.Ordinal);
        Assert.Contains("\"skipped\"", File.ReadAllText(Path.Combine(folder.Output, "manifest.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Cancelled_LeavesNothing()
    {
        using var folder = new CheckpointFolder();
        using var stop = new CancellationTokenSource();
        var progress = new OnReport(_ => stop.Cancel());

        Assert.Throws<OperationCanceledException>(() => Exporter.Run(folder.Options, progress, stop.Token));

        Assert.Equal([folder.Checkpoint], Directory.EnumerateFileSystemEntries(folder.Root));
    }

    [Fact]
    public void Run_UnknownPrecision_NamesTheKnownOnes()
    {
        using var folder = new CheckpointFolder();
        Assert.Contains("one of: f32", folder.Fails<CheckpointException>(folder.Options with { Precision = "f33" }).Message, StringComparison.Ordinal);
    }

    [SmallDiskFact]
    public void Run_DiskTooSmall_FailsBeforeWriting()
    {
        using var folder = new CheckpointFolder();
        using var disk = new SmallDisk(folder.Root, megabytes: 1);
        var error = Assert.Throws<CheckpointException>(() => Exporter.Run(folder.Options with { Output = Path.Combine(disk.Path, "package") }));
        Assert.Contains("are free there", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Path));
    }

    [SmallDiskFact]
    public void Run_DiskFullMidway_LeavesNothing()
    {
        using var folder = new CheckpointFolder();
        using var disk = new SmallDisk(folder.Root, megabytes: 8);
        // Someone else takes the rest of the disk once the weights are being written.
        var progress = new OnReport(_ => disk.Fill());
        var error = Assert.Throws<CheckpointException>(() => Exporter.Run(folder.Options with { Output = Path.Combine(disk.Path, "package") }, progress));
        Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
        Assert.Equal([disk.Filler], Directory.EnumerateFileSystemEntries(disk.Path));
    }

    private static SafetensorsEntry Nudge(SafetensorsEntry entry, float by)
    {
        float[] values = Values(entry);
        values[values.Length / 2] += by;
        return SafetensorsEntry.Of(entry.Name, entry.Shape, values);
    }

    private static SafetensorsEntry Narrow(SafetensorsEntry entry, SafetensorsType type)
    {
        ushort[] bits = Array.ConvertAll(Values(entry), v => type == SafetensorsType.BF16 ? (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16) : BitConverter.HalfToUInt16Bits((Half)v));
        return SafetensorsEntry.Of(entry.Name, type, entry.Shape, MemoryMarshal.AsBytes<ushort>(bits));
    }

    private static IEnumerable<SafetensorsEntry> Reference(ReferenceDecoder decoder)
    {
        long[] ids = [0, 17, 90, 4, 33, 120];
        double[] logits = decoder.Logits(ids);
        return [SafetensorsEntry.Of("input_ids", [1, ids.Length], ids), SafetensorsEntry.Of("logits", [1, ids.Length, logits.Length / ids.Length], Array.ConvertAll(logits, v => (float)v))];
    }

    private static float[] Values(SafetensorsEntry entry)
    {
        using var stream = new MemoryStream();
        entry.Write(stream);
        return MemoryMarshal.Cast<byte, float>(stream.ToArray()).ToArray();
    }

    private sealed class OnReport(Action<ExportProgress> action) : IProgress<ExportProgress>
    {
        public void Report(ExportProgress value) => action(value);
    }
}
