using Microsoft.Extensions.Logging;

namespace LatentMoE.Cli;

/// <summary>Keeps what loading a model says of its device, and passes warnings on to standard error.</summary>
internal sealed class DeviceLog : ILogger
{
    /// <summary>The device, why it is that one, and the operator library.</summary>
    public string Text { get; private set; } = "";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning)
        {
            Console.Error.WriteLine($"warning: {formatter(state, exception)}");
        }
        else
        {
            Text = formatter(state, exception);
        }
    }
}
