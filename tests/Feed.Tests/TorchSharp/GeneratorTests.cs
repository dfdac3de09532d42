using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class GeneratorTests
{
    [Fact]
    public void ManualSeed_MakesDrawsReproducible()
    {
        using var scope = NewDisposeScope();
        manual_seed(42);
        var first = new[] { randn(10), rand(10), randperm(10).to(float32), zeros(10).normal_(), zeros(10).uniform_(0, 1) };
        manual_seed(42);
        var second = new[] { randn(10), rand(10), randperm(10).to(float32), zeros(10).normal_(), zeros(10).uniform_(0, 1) };
        for (int i = 0; i < first.Length; i++)
            TensorAssert.Equal(first[i], second[i], $"draw {i}");
        manual_seed(43);
        Assert.False(first[0].allclose(randn(10)));
        Assert.Equal(43, initial_seed());
    }

    [Fact]
    public void RngState_CanBeRestored()
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        randn(5);
        var state = get_rng_state();
        Assert.Equal(ScalarType.Byte, state.dtype);
        var expected = randn(100);
        randn(3);
        set_rng_state(state);
        TensorAssert.Equal(expected, randn(100), "draw after the state was restored");
    }

    [Fact]
    public void Generator_IsIndependentOfTheDefaultOne()
    {
        using var scope = NewDisposeScope();
        using var one = new Generator(5);
        using var two = new Generator(5);
        var expected = randn(10, generator: one);
        manual_seed(1);
        randn(50);
        TensorAssert.Equal(expected, randn(10, generator: two), "draw");
    }

    [Fact]
    public void Multinomial_DrawsWithTheGivenWeights()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var draws = multinomial(tensor(new[] { 0f, 1f, 3f }), 4000, replacement: true);
        var counts = bincount(draws, minlength: 3).data<long>().ToArray();
        Assert.Equal(0, counts[0]);
        Assert.InRange(counts[2], 2800, 3200);
    }

    [Fact]
    public void Threads_CanBeSet()
    {
        int former = get_num_threads();
        set_num_threads(1);
        Assert.Equal(1, get_num_threads());
        set_num_threads(former);
        Assert.Equal(former, get_num_threads());
    }

    [Fact]
    public void Training_IsDeterministic()
    {
        Assert.Equal(Losses(), Losses());

        static float[] Losses()
        {
            using var scope = NewDisposeScope();
            manual_seed(9);
            using var model = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, 4));
            using var optimizer = optim.AdamW(model.parameters(), lr: 1e-2);
            var losses = new float[20];
            for (int step = 0; step < losses.Length; step++)
            {
                var loss = nn.functional.cross_entropy(model.call(randn(32, 8)), randint(4, new long[] { 32 }));
                model.zero_grad();
                loss.backward();
                optimizer.step();
                losses[step] = loss.item<float>();
            }
            return losses;
        }
    }
}
