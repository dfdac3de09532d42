using LatentMoE.Export;
using LatentMoE.Runtime;
using LatentMoE.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Tests.Load;

/// <summary>A server with few rows and a small prefix cache, and what each of its prompts gives alone.</summary>
public sealed class LoadServer : IAsyncLifetime
{
    public const int MaxTokens = 48;
    private const int Prompts = 24, Context = 256;
    private readonly TemporaryFolder _folder = new();
    private WebApplication? _server;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { Timeout = TimeSpan.FromMinutes(2) };

    public LanguageModel Model { get; private set; } = null!;

    public EngineStatus Status => _server!.Services.GetRequiredService<InferenceEngine>().Status;

    /// <summary>Prompts, and the greedy answer of each by itself; some begin alike.</summary>
    internal IReadOnlyList<(int[] Prompt, IReadOnlyList<int> Answer)> Expected { get; private set; } = [];

    public async Task InitializeAsync()
    {
        RandomCheckpoint.Write(_folder["checkpoint"], TestConfigs.LatentMoE with { MaxPositionEmbeddings = Context }, rows: 1, tokens: 8);
        Exporter.Run(new ExportOptions { Checkpoint = _folder["checkpoint"], Output = _folder["load"] });
        Model = LanguageModel.Load(_folder["load"], new() { Device = Device.Cpu, Threads = 1 });
        var random = new Random(5);
        int[] shared = [.. Enumerable.Range(0, 64).Select(_ => random.Next(2, Model.VocabularySize))];
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = MaxTokens, IgnoreEndOfSequence = true };
        Expected = [.. Enumerable.Range(0, Prompts).Select(i =>
        {
            int[] prompt = [.. shared[..(i % 3 * 32)], .. Enumerable.Range(0, 1 + random.Next(100)).Select(_ => random.Next(2, Model.VocabularySize))];
            return (prompt, Model.Generate(prompt, greedy).TokenIds);
        })];
        var engine = new EngineOptions { MaxRows = 12, MaxQueue = 1000, PrefixCacheBytes = 1 << 17, PrefillTokensPerStep = 96, TrackExperts = true };
        _server = LatentMoEServer.Build(Model, new() { Port = 0, Engine = engine }, builder => builder.Logging.ClearProviders());
        await _server.StartAsync();
        Http.BaseAddress = new Uri(_server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        Model?.Dispose();
        _folder.Dispose();
    }
}
