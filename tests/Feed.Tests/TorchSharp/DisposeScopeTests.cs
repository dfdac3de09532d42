using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class DisposeScopeTests
{
    [Fact]
    public void Scope_DisposesWhatWasMadeInIt()
    {
        Tensor kept, lost, detached;
        using (var outer = NewDisposeScope())
        {
            using (var inner = NewDisposeScope())
            {
                lost = zeros(1);
                kept = (lost + 1).MoveToOuterDisposeScope();
                detached = zeros(1).DetachFromDisposeScope();
                Assert.Equal(1, inner.DisposablesCount);
                Assert.Equal(1, outer.DisposablesCount);
                Assert.True(outer.Contains(kept));
            }
            Assert.True(lost.IsInvalid);
            Assert.False(kept.IsInvalid);
        }
        Assert.True(kept.IsInvalid);
        Assert.False(detached.IsInvalid);
        detached.Dispose();
    }

    [Fact]
    public void MoveToOuter_OfSeveral()
    {
        using var outer = NewDisposeScope();
        Tensor first, second;
        using (var inner = NewDisposeScope())
            (first, second) = inner.MoveToOuter(zeros(1), ones(1));
        Assert.Equal(2, outer.DisposablesCount);
        first.Dispose();
        Assert.Equal(1, outer.DisposablesCount);
        outer.DisposeEverything();
        Assert.True(second.IsInvalid);
    }

    [Fact]
    public void MoveToOuter_WithoutOuterScope_Detaches()
    {
        Tensor tensor;
        using (NewDisposeScope())
            tensor = zeros(1).MoveToOuterDisposeScope();
        Assert.False(tensor.IsInvalid);
        tensor.Dispose();
    }

    [Fact]
    public void Attach_TakesOwnership()
    {
        var tensor = zeros(1);
        using (var scope = NewDisposeScope())
        {
            scope.Attach(tensor);
            Assert.Equal(1, scope.DisposablesCount);
        }
        Assert.True(tensor.IsInvalid);
    }

    [Fact]
    public void Statistics_CountCreatedAndDisposed()
    {
        var statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        var outside = zeros(1);
        using (NewDisposeScope())
        {
            _ = zeros(1);
            _ = zeros(1).DetachFromDisposeScope();
        }
        outside.Dispose();
        Assert.Equal(1, statistics.CreatedOutsideScopeCount);
        Assert.Equal(1, statistics.DisposedOutsideScopeCount);
        Assert.Equal(2, statistics.CreatedInScopeCount);
        Assert.Equal(1, statistics.DisposedInScopeCount);
        Assert.Equal(1, statistics.DetachedFromScopeCount);
        Assert.Equal(1, statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void TrainingSteps_KeepMemoryFlat()
    {
        manual_seed(1);
        using var model = nn.Sequential(nn.Linear(64, 256), nn.SiLU(), nn.Linear(256, 8));
        using var optimizer = optim.AdamW(model.parameters(), lr: 1e-3);
        Train(model, optimizer, 200);
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        long memory = Resident();
        Train(model, optimizer, 2000);
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        long growth = Resident() - memory;
        Assert.True(growth < 32 << 20, $"resident memory grew by {growth >> 20} MiB over 2000 steps");
    }

    private static void Train(Sequential model, AdamW optimizer, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var x = randn(16, 64);
            var target = randint(8, new long[] { 16 });
            var loss = nn.functional.cross_entropy(model.call(x), target);
            model.zero_grad();
            loss.backward();
            optimizer.step();
        }
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
