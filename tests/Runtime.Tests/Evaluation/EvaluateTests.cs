using LatentMoE.Runtime.Tests.Decoding;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Runtime.Tests.Evaluation;

[Collection(nameof(TestPackages))]
public class EvaluateTests
{
    private static readonly string[] Documents = ["the end of the day", "  once upon a time\n", "", "a <|endoftext|> that is text"];

    private static int[] Stream(LanguageModel model)
    {
        const int separator = TinyTokenizer.EndOfText;
        // Spelled in a document, the separator is text: it is tokenised in two halves that are no special token.
        int[] spelled = Tokenizer.EncodeToIds("a <|endoftext|> that is text").ToArray();
        Assert.DoesNotContain(separator, spelled);
        return [separator, .. model.Encode("the end of the day"), separator, .. model.Encode("once upon a time"), separator, .. spelled, separator];
    }

    private static Microsoft.ML.Tokenizers.BpeTokenizer Tokenizer =>
        LatentMoE.Checkpoints.Tokenization.TokenizerFile.Load(TestPackages.Package("LatentMoE")).Tokenizer;

    [Theory]
    [InlineData("LatentMoE", null, null)]
    [InlineData("LatentMoE", 16, null)]
    [InlineData("LatentMoE", 16, 5)]
    [InlineData("LatentMoE", 7, 7)]
    [InlineData("LatentMoE", 1, 1)]
    [InlineData("Llama", 16, 3)]
    [InlineData("Glm4Moe", 300, 100)]
    public void Evaluate_IsTheFloat64References(string family, int? window, int? stride)
    {
        using var model = TestPackages.Load(family, new() { Device = Device.Cpu, Threads = 1, PrefillChunk = 6 });
        var result = model.Evaluate(Documents, new() { Window = window, Stride = stride });
        int[] ids = Stream(model);
        var (size, step) = (window ?? TestPackages.Context, stride ?? window ?? TestPackages.Context);
        Assert.Equal((ids.Length - 1, 3), (result.Tokens, result.Documents));
        Assert.Equal(Reference(family, ids, size, step), result.Loss, 5);
        Assert.Equal(Math.Exp(result.Loss), result.Perplexity);
        Assert.Equal(ids.Sum(id => (long)model.TokenBytes(id).Length), result.Bytes);
        Assert.Equal(result.Loss * result.Tokens / Math.Log(2) / result.Bytes, result.BitsPerByte, 9);
    }

    [Fact]
    public void Evaluate_OnADevice_IsTheHosts()
    {
        using var host = TestPackages.Load("LatentMoE");
        using var device = TestPackages.Load("LatentMoE", new() { Device = Device.Cuda, PretendDevice = true, Threads = 1, PrefillChunk = 6 });
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 12, IgnoreEndOfSequence = true };
        var before = device.GenerateTokens([0, 9, 17], greedy).ToArray();
        Assert.Equal(host.Evaluate(Documents, new() { Window = 16, Stride = 5 }).Loss, device.Evaluate(Documents, new() { Window = 16, Stride = 5 }).Loss, 5);
        Assert.Equal(before, device.GenerateTokens([0, 9, 17], greedy));
    }

    [Fact]
    public void Evaluate_HalfLogits_AreNear()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        HalfPackage.Convert(folder);
        using var half = LanguageModel.Load(folder.Path, new() { Device = Device.Cpu, Threads = 1 });
        using var whole = TestPackages.Load("LatentMoE");
        var (near, exact) = (half.Evaluate(Documents).Loss, whole.Evaluate(Documents).Loss);
        Assert.NotEqual(exact, near);
        Assert.Equal(exact, near, 2);
    }

    [Fact]
    public void Evaluate_MaxTokens_ReadsNoFurther()
    {
        using var model = TestPackages.Load("LatentMoE");
        int read = 0;
        var result = model.Evaluate(Documents.Concat(Documents).Select(document =>
        {
            read++;
            return document;
        }), new() { MaxTokens = 9, Window = 4 });
        Assert.Equal((9, 1), (result.Tokens, read));
        Assert.Equal(Reference("LatentMoE", Stream(model)[..10], 4, 4), result.Loss, 5);
    }

    [Fact]
    public void Evaluate_LeavesTheSessionAsItWas()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, Threads = 1, MaxConcurrency = 1 });
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 12, IgnoreEndOfSequence = true };
        var before = model.GenerateTokens([0, 9, 17], greedy).ToArray();
        var first = model.Evaluate(Documents);
        Assert.Equal(before, model.GenerateTokens([0, 9, 17], greedy));
        Assert.Equal(first, model.Evaluate(Documents));
    }

    [Fact]
    public void Evaluate_Progress_EndsAtTheResult()
    {
        using var model = TestPackages.Load("LatentMoE");
        var seen = new List<EvaluationProgress>();
        var result = model.Evaluate(Documents, new() { Window = 8 }, new Recorder(seen));
        Assert.True(seen.Zip(seen.Skip(1)).All(pair => pair.First.Tokens < pair.Second.Tokens));
        Assert.Equal(new EvaluationProgress(result.Tokens, result.Tokens, result.Loss), seen[^1]);
    }

    [Theory]
    [InlineData(0, null, null, "Window is 0; expected 1 to the context, 320")]
    [InlineData(321, null, null, "Window is 321; expected 1 to the context, 320")]
    [InlineData(16, 17, null, "Stride is 17; expected 1 to the window, 16")]
    [InlineData(16, 0, null, "Stride is 0")]
    [InlineData(null, null, 0L, "MaxTokens is 0; expected null or at least 1")]
    public void Evaluate_OptionOutOfRange_IsRefused(int? window, int? stride, long? tokens, string told)
    {
        using var model = TestPackages.Load("LatentMoE");
        var error = Assert.Throws<ArgumentException>(() => model.Evaluate(Documents, new() { Window = window, Stride = stride, MaxTokens = tokens }));
        Assert.StartsWith(told, error.Message);
    }

    [Fact]
    public void Evaluate_NoText_IsRefused()
    {
        using var model = TestPackages.Load("LatentMoE");
        Assert.Contains("no text", Assert.Throws<ArgumentException>(() => model.Evaluate([" ", "\n"])).Message);
    }

    [Fact]
    public void Evaluate_Cancelled_Stops()
    {
        using var model = TestPackages.Load("LatentMoE");
        using var cancel = new CancellationTokenSource();
        var stop = new Recorder([], () => cancel.Cancel());
        Assert.Throws<OperationCanceledException>(() => model.Evaluate(Documents, new() { Window = 4 }, stop, cancel.Token));
        Assert.Equal(3, model.GenerateTokens([5], GenerationOptions.Greedy with { MaxNewTokens = 3, IgnoreEndOfSequence = true }).Count());
    }

    // Every prediction in the first window that holds it, computed anew for each window.
    private static double Reference(string family, int[] ids, int window, int stride)
    {
        var decoder = ReferenceDecoder.Open(TestPackages.Checkpoint(family));
        int vocabulary = TestPackages.Config(family).VocabSize;
        var losses = new double?[ids.Length];
        for (int start = 0; losses.Skip(1).Any(loss => loss is null); start += stride)
        {
            long[] inputs = [.. ids[start..Math.Min(start + window, ids.Length - 1)].Select(id => (long)id)];
            double[] logits = decoder.Logits(inputs);
            for (int i = 0; i < inputs.Length; i++)
            {
                double[] row = logits[(i * vocabulary)..((i + 1) * vocabulary)];
                losses[start + i + 1] ??= Math.Log(row.Sum(Math.Exp)) - row[ids[start + i + 1]];
            }
        }
        return losses.Skip(1).Average()!.Value;
    }

    private sealed class Recorder(List<EvaluationProgress> seen, Action? then = null) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            seen.Add(value);
            then?.Invoke();
        }
    }
}
