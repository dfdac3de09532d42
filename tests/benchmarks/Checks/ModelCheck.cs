using System.Numerics.Tensors;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;
using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Benchmarks.Checks;

/// <summary>
/// A package on a device, with the operator library, against the same package on the CPU by its standard operators: logits of a prompt and
/// of the steps after it, and the tokens that each chooses by itself.
/// </summary>
internal sealed class ModelCheck(string folder, Device device, int steps = 48)
{
    private const int PromptTokens = 40, PrefillChunk = 24; // two unequal chunks
    private readonly PackageModel model = PackageModel.Load(folder);

    /// <summary>The largest difference of two logits that rounding explains, as a share of their range.</summary>
    internal static double Tolerance(string activations) => activations switch { "f32" => 1e-4, "f16" => 0.02, _ => 0.1 };

    /// <exception cref="Checkpoints.CheckpointException">The package cannot be loaded.</exception>
    /// <exception cref="NotSupportedException">The device cannot be used; the message says why.</exception>
    public ModelCheckResult Run()
    {
        var package = ModelPackage.Open(folder);
        using var bodies = Pool(package, new() { Device = Device.Cpu, UseOperatorLibrary = false });
        string partitioned = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.onnx");
        using var tested = Pool(package, new() { Device = device, ConfigureSession = options => options.OptimizedModelFilePath = partitioned });
        int copies = CopiesIn(File.ReadAllBytes(partitioned));
        File.Delete(partitioned);
        var random = new RandomStream(1);
        int[] prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => (int)(random.NextUInt64() % (ulong)model.Vocabulary))];
        var expected = new List<float[]>();
        int[] tokens = Greedy(bodies, prompt, expected);
        double difference = Follow(tested, prompt, tokens, expected);
        int[] chosen = Choose(tested, prompt);
        int same = tokens.Zip(chosen).TakeWhile(pair => pair.First == pair.Second).Count();
        double? gap = same == steps ? null : Gap(expected[same], tokens[same], chosen[same]);
        double limit = Tolerance(model.Activations);
        return new(Path.GetFileName(folder), RandomPackages.Precision(folder), model.Activations, difference, limit, same, steps, gap, copies);
    }

    /// <summary>Nodes that ONNX Runtime has put into a model, as it runs it, to copy tensors between host and device.</summary>
    internal static int CopiesIn(ReadOnlySpan<byte> model) => model.Count("MemcpyFromHost"u8) + model.Count("MemcpyToHost"u8);

    private static SessionPool Pool(ModelPackage package, LanguageModelOptions options) =>
        new SessionFactory(package, options with { PrefillChunk = PrefillChunk, MaxConcurrency = 1 }).Create();

    // The tokens with the largest logits, and the logits of each.
    private int[] Greedy(SessionPool pool, int[] prompt, List<float[]> logits)
    {
        var session = pool.Rent(CancellationToken.None);
        int[] tokens = new int[steps];
        session.Prefill(prompt);
        for (int i = 0; i < steps; i++)
        {
            logits.Add(session.Logits.ToArray());
            tokens[i] = TensorPrimitives.IndexOfMax<float>(session.Logits);
            session.Step(tokens[i]);
        }
        pool.Return(session);
        return tokens;
    }

    // The largest difference of the logits where the tokens are given.
    private static double Follow(SessionPool pool, int[] prompt, int[] tokens, List<float[]> expected)
    {
        var session = pool.Rent(CancellationToken.None);
        double largest = 0;
        session.Prefill(prompt);
        for (int i = 0; i < tokens.Length; i++)
        {
            largest = Math.Max(largest, Difference(session.Logits, expected[i]));
            session.Step(tokens[i]);
        }
        pool.Return(session);
        return largest;
    }

    // As a generation does: on the device where the session can.
    private int[] Choose(SessionPool pool, int[] prompt)
    {
        var session = pool.Rent(CancellationToken.None);
        if (!session.Selects)
        {
            pool.Return(session);
            return Greedy(pool, prompt, []);
        }
        using var sampler = new Sampler(GenerationOptions.Greedy, model.Vocabulary);
        int[] tokens = new int[steps];
        session.BeginSelection(GenerationOptions.Greedy);
        tokens[0] = session.PrefillAndSelect(prompt, sampler);
        for (int i = 1; i < steps; i++)
        {
            tokens[i] = session.StepAndSelect(sampler);
        }
        pool.Return(session);
        return tokens;
    }

    // NaN counts as no agreement at all.
    internal static double Difference(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            largest = difference <= largest ? largest : double.IsNaN(difference) ? double.PositiveInfinity : difference;
        }
        return largest / (TensorPrimitives.Max(expected) - TensorPrimitives.Min(expected));
    }

    // How far apart the two candidates are for the bodies, as a share of the range.
    private static double Gap(float[] logits, int first, int second) =>
        second < 0 || second >= logits.Length ? double.PositiveInfinity
            : (logits[first] - logits[second]) / (TensorPrimitives.Max<float>(logits) - TensorPrimitives.Min<float>(logits));
}
