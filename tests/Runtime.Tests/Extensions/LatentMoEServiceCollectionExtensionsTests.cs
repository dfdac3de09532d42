using LatentMoE.Runtime.Tests.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Runtime.Tests.Extensions;

[Collection(nameof(TestPackages))]
public class LatentMoEServiceCollectionExtensionsTests
{
    [Fact]
    public async Task AddLatentMoE_ServicesShareOneModelAndEngine()
    {
        using var folder = ChatPackage.Write();
        var log = new List<string>();
        await using var provider = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(new ListLoggers(log))
            .AddLatentMoE(folder.Path, options =>
            {
                options.Model = options.Model with { Device = Device.Cpu, Threads = 1 };
                options.Engine = options.Engine with { MaxRows = 3 };
                options.Generation = GenerationOptions.Greedy with { MaxNewTokens = 4, IgnoreEndOfSequence = true };
            })
            .BuildServiceProvider();
        Assert.Empty(log);

        var client = provider.GetRequiredService<IChatClient>();
        var engine = provider.GetRequiredService<InferenceEngine>();
        Assert.Same(engine, client.GetService(typeof(InferenceEngine)));
        Assert.Same(provider.GetRequiredService<LanguageModel>(), engine.Model);
        Assert.Same(client, provider.GetRequiredService<IChatClient>());
        Assert.Equal(3, engine.Status.Rows);
        Assert.Equal(4, (await client.GetResponseAsync("the hand")).Usage!.OutputTokenCount);
        Assert.Contains(log, line => line.StartsWith(typeof(LanguageModel).FullName!, StringComparison.Ordinal));
    }

    [Fact]
    public void AddLatentMoE_ContainerDisposed_DisposesTheModelAfterTheEngine()
    {
        using var folder = ChatPackage.Write();
        var provider = new ServiceCollection().AddLatentMoE(folder.Path, options => options.Model = options.Model with { Device = Device.Cpu, Threads = 1 }).BuildServiceProvider();
        var model = provider.GetRequiredService<InferenceEngine>().Model;
        provider.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Generate("the", GenerationOptions.Greedy));
    }

    [Fact]
    public void AddLatentMoE_NoPackage_FailsWhenAskedFor()
    {
        using var provider = new ServiceCollection().AddLatentMoE("/nowhere").BuildServiceProvider();
        Assert.Contains("/nowhere", Assert.ThrowsAny<Exception>(provider.GetRequiredService<IChatClient>).Message);
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddLatentMoE(""));
    }

    private sealed class ListLoggers(List<string> log) : ILoggerFactory, ILogger
    {
        private string _category = "";

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName)
        {
            _category = categoryName;
            return this;
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add($"{_category}: {formatter(state, exception)}");
    }
}
