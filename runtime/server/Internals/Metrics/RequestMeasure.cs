using System.Diagnostics;
using System.Globalization;
using LatentMoE.Server.Internals.Answers;
using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Metrics;

/// <summary>The measurements of one request.</summary>
internal sealed class RequestMeasure(ServerMetrics metrics, string operation)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    public void FirstToken() => metrics.RecordFirstToken(metrics.Tags(operation), Stopwatch.GetElapsedTime(_start));

    public void Complete(AnswerTally tally)
    {
        var tags = metrics.Tags(operation);
        metrics.RecordEnd(tags, Stopwatch.GetElapsedTime(_start), null);
        metrics.RecordUsage(tags, "input", tally.PromptTokens);
        metrics.RecordUsage(tags, "output", tally.GeneratedTokens);
        foreach (var answer in tally.Finished)
        {
            metrics.RecordAnswer(tags, answer);
        }
    }

    public void Fail(Exception failure) => metrics.RecordEnd(metrics.Tags(operation), Stopwatch.GetElapsedTime(_start), Name(failure));

    // Few names: they become labels.
    private static string Name(Exception failure)
    {
        if (failure is OperationCanceledException)
        {
            return "client_closed";
        }
        var described = Failures.Describe(failure);
        return described.Code ?? described.Status.ToString(CultureInfo.InvariantCulture);
    }
}
