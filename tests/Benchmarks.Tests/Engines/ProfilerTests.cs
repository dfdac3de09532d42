using System.Text.Json;
using LatentMoE.Benchmarks.Engines;

namespace LatentMoE.Benchmarks.Tests.Engines;

public class ProfilerTests
{
    [Fact]
    public void Parse_TakesTheSecondHalfAndCountsNestedTimeOnce()
    {
        using var events = JsonDocument.Parse("""
            [
              {"cat":"Session","name":"model_loading","ts":0,"dur":50},
              {"cat":"Session","name":"model_run","ts":100,"dur":1000},
              {"cat":"Node","name":"a_kernel_time","ts":110,"dur":900,"args":{"op_name":"MatMul"}},
              {"cat":"Session","name":"model_run","ts":2000,"dur":200},
              {"cat":"Node","name":"a_kernel_time","ts":2010,"dur":40,"args":{"op_name":"MatMul"}},
              {"cat":"Node","name":"c_kernel_time","ts":2062,"dur":10,"args":{"op_name":"MatMul"}},
              {"cat":"Node","name":"c_kernel_time","ts":2075,"dur":10,"args":{"op_name":"MatMul"}},
              {"cat":"Node","name":"b_kernel_time","ts":2060,"dur":30,"args":{"op_name":"Loop"}},
              {"cat":"Node","name":"d_kernel_time","ts":2100,"dur":5,"args":{"op_name":"Add"}},
              {"cat":"Node","name":"d_fence_before","ts":2099,"dur":1,"args":{"op_name":"Add"}},
              {"cat":"Node","name":"x","ph":"M"}
            ]
            """);
        var profile = Profiler.Parse(events.RootElement);
        Assert.Equal(5, profile.Nodes);
        Assert.Equal(60, profile.Microseconds["MatMul"]);
        Assert.Equal(10, profile.Microseconds["Loop"]);
        Assert.Equal(5, profile.Microseconds["Add"]);
    }
}
