using System.Net;

namespace LatentMoE.Server.Tests.Metrics;

[Collection(nameof(TestPackage))]
public class ServerMetricsTests
{
    [Fact]
    public async Task Metrics_CountRequestsTokensAndFailures()
    {
        await using var server = await TestServer.StartAsync();
        for (int i = 0; i < 3; i++)
        {
            await server.PostAsync("/v1/completions", """{"prompt":"the","max_tokens":5,"ignore_eos":true}""");
        }
        await server.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"a"}],"max_tokens":4,"ignore_eos":true}""");
        await server.SendAsync("/v1/completions", """{"prompt":7}""");
        using var response = await server.Http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        string text = await response.Content.ReadAsStringAsync();
        var metrics = new PrometheusText(text);
        const string duration = "gen_ai_server_request_duration_seconds", completions = "gen_ai_operation_name=\"text_completion\"", model = "gen_ai_request_model=\"story\"";
        Assert.Equal("histogram", metrics.Types[duration]);
        Assert.Equal(4, metrics.Sum(duration + "_count", completions, model));
        Assert.Equal(1, metrics.Sum(duration + "_count", completions, "error_type=\"invalid_value\""));
        Assert.Equal(1, metrics.Sum(duration + "_count", "gen_ai_operation_name=\"chat\""));
        Assert.Equal(3, metrics.Sum("gen_ai_server_time_to_first_token_seconds_count", completions));
        Assert.Equal(3, metrics.Sum("gen_ai_server_time_per_output_token_seconds_count", completions));
        Assert.Equal(15, metrics.Sum("gen_ai_client_token_usage_sum", completions, "gen_ai_token_type=\"output\""));
        Assert.Equal(4, metrics.Sum("gen_ai_client_token_usage_sum", "\"chat\"", "gen_ai_token_type=\"output\""));
        Assert.Equal(19, metrics.Sum("latentmoe_engine_generated_tokens_total"));
        Assert.Equal(16, metrics.Sum("latentmoe_engine_rows"));
        Assert.Equal(0, metrics.Sum("latentmoe_engine_requests_running"));
    }
}
