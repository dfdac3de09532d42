using System.Runtime.InteropServices;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Models;

namespace LatentMoE.Benchmarks.Tests.Models;

public partial class ContribModelTests
{
    // From 1.31 on, QMoE rounds activations to 8 bits where the weights have 8, unless this says otherwise; .NET's own setter does not reach native code.
    static ContribModelTests() => _ = SetVariable("ORT_QMOE_CPU_QNBIT_GEMM", "0", 1);

    [Theory]
    [InlineData(false, "f32", 1)]
    [InlineData(false, "f32", 7)]
    [InlineData(false, "int8", 1)]
    [InlineData(false, "int8", 7)]
    [InlineData(false, "int4", 1)]
    [InlineData(false, "int4", 7)]
    [InlineData(true, "f32", 1)]
    [InlineData(true, "int8", 7)]
    public void Of_ComputesWhatTheBodiesCompute(bool twin, string precision, int sequence)
    {
        using var package = new ExportedPackage(twin ? ExportedPackage.Twin : ExportedPackage.Config, precision);
        var model = PackageModel.Load(package.Path);
        Assert.Contains(ContribModel.Of(model.Proto).Graph.Node, node => node.OpType is "MoE" or "QMoE");
        var point = sequence == 1 ? new Case(Case.Decode, 9, 3, 2) : new Case(Case.Prefill, sequence, 1, 1);
        float[] bodies = Logits(Engine.Bodies), contrib = Logits(Engine.Contrib);
        float range = bodies.Max() - bodies.Min(), difference = bodies.Zip(contrib, (a, b) => MathF.Abs(a - b)).Max();
        Assert.True(difference < 1e-5 * range, $"logits: max abs diff {difference:e2} over a range of {range:e2}");

        float[] Logits(string name)
        {
            using var session = Engine.Of(name, null).Load(model, 1);
            using var workload = Workload.Create(session, model, point, grow: false);
            workload.Run(3);
            return workload.Logits.ToArray();
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
