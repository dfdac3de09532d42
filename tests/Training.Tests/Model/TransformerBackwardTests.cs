using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class TransformerBackwardTests
{
    private const double Tolerance = 1e-13;

    private static readonly long[] Shape = [3, 7];

    /// <summary>Loss, gradients, router loads and random state after one backward pass, every time from the same start.</summary>
    private static (double Loss, Tensor[] Values, string[] Names) Pass(ModelConfig config, double dropout, Func<Transformer, Tensor, Tensor, double> backward)
    {
        using var model = Models.Create(config, dtype: ScalarType.Float64, dropout: dropout);
        model.train();
        double loss = backward(model, tensor(Models.Ids(3, 7), Shape), tensor(Models.Ids(3, 7, seed: 2), Shape));
        return (loss,
            [.. model.parameters().Select(p => p.grad!.clone()), .. model.Mixtures.Select(m => m.MoE.Gate.Load.clone()), get_rng_state()],
            [.. model.named_parameters().Select(p => $"gradient of {p.name}"), .. model.Mixtures.Select(m => $"load of layer {m.Layer}"), "random state"]);
    }

    private static double Plain(Transformer model, Tensor ids, Tensor targets)
    {
        var loss = model.Loss(ids, targets) / 2;
        loss.backward();
        return loss.item<double>();
    }

    private static void AssertLikePlain(ModelConfig config, double dropout, Func<Transformer, Tensor, Tensor, double> backward)
    {
        using var scope = NewDisposeScope();
        var (loss, expected, names) = Pass(config, dropout, Plain);
        var actual = Pass(config, dropout, backward);
        Assert.Equal(loss, actual.Loss, Tolerance);
        for (int i = 0; i < expected.Length; i++)
        {
            Models.AssertClose(names[i], expected[i], actual.Values[i], Tolerance);
        }
    }

    [Theory]
    [InlineData(1 << 20)] // all at once
    [InlineData(5 * Models.Vocabulary)] // parts of 5 tokens, the last of one
    [InlineData(1)] // never less than a token
    public void Backward_OfPartsOfTheLogitsIsThatOfTheLoss(int logits)
    {
        foreach (string twin in Twin.Names)
        {
            foreach (bool tied in (bool[])[true, false])
            {
                AssertLikePlain(Models.Of(twin) with { TieWordEmbeddings = tied }, 0.2, (model, ids, targets) =>
                {
                    model.MaxLogits = logits;
                    return model.Backward(ids, targets, 0.5);
                });
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void Backward_OfLayersThatAreComputedAgainIsThatOfTheLoss(double dropout)
    {
        foreach (string twin in Twin.Names)
        {
            AssertLikePlain(Models.Of(twin) with { NumHiddenLayers = 3 }, dropout, (model, ids, targets) =>
            {
                (model.GradientCheckpointing, model.MaxLogits) = (true, 4 * Models.Vocabulary);
                return model.Backward(ids, targets, 0.5);
            });
        }
    }

    [Fact]
    public void Loss_WithoutGradientsIsTheSameInParts()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Models.Create(Models.Latent, dtype: ScalarType.Float64);
        Tensor ids = tensor(Models.Ids(3, 7), Shape), targets = tensor(Models.Ids(3, 7, seed: 2), Shape);
        double whole = model.Loss(ids, targets).item<double>();
        model.MaxLogits = 4 * Models.Vocabulary;
        Assert.Equal(whole, model.Loss(ids, targets).item<double>(), 1e-13);
    }

    [Theory]
    [InlineData(false, 1 << 20)]
    [InlineData(false, 64)]
    [InlineData(true, 64)]
    public void Backward_LeavesNoTensorBehind(bool checkpointing, int logits)
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent, dropout: 0.1);
        (model.GradientCheckpointing, model.MaxLogits) = (checkpointing, logits);
        Tensor ids = tensor(Models.Ids(3, 7), Shape), targets = tensor(Models.Ids(3, 7, seed: 2), Shape);
        model.Backward(ids, targets);
        GC.Collect(); // tensors that other tests left are not to go between the two counts
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        model.Backward(ids, targets);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Backward_TakesLessMemoryWhereLogitsComeInParts() =>
        AssertLess("the logits of 4,096 tokens", Config(vocabulary: 8192, layers: 1), [8, 512], model => model.MaxLogits = 8192 * 256);

    [Fact]
    public void Backward_TakesLessMemoryWhereLayersAreComputedAgain() =>
        AssertLess("16 layers", Config(vocabulary: 32, layers: 16), [8, 256], model => model.GradientCheckpointing = true);

    private static ModelConfig Config(int vocabulary, int layers) =>
        (Models.Latent with { VocabSize = vocabulary, NumHiddenLayers = layers, HiddenSize = 32, MaxPositionEmbeddings = 512 }).Validated("test");

    // Peaks of what the process allocates natively, of which these passes are the largest part by far.
    private static void AssertLess(string what, ModelConfig config, long[] shape, Action<Transformer> thrifty)
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(config);
        var ids = tensor(Models.Ids((int)shape[0], (int)shape[1]), shape);
        long? Peak() => HeapPeak.Of(() => model.Backward(ids, ids));
        if (Peak() is null)
        {
            return; // an allocator that does not say
        }
        long plain = Peak()!.Value;
        thrifty(model);
        long bounded = Peak()!.Value;
        Assert.True(bounded < plain / 2, $"{what}: {plain >> 20} MiB at once, {bounded >> 20} MiB in parts");
    }
}
