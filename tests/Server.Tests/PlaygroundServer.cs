using LatentMoE.Export;
using LatentMoE.Runtime;
using LatentMoE.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Tests;

/// <summary>A server on a free port of loopback for programs that are its clients: random weights, room for long answers, experts, a key.</summary>
public sealed class PlaygroundServer : IAsyncLifetime
{
    public const string Key = "open-sesame";

    /// <summary>Contents after each other, as a model that knows no roles can take them.</summary>
    public const string ChatTemplate = "{% for message in messages %}{{ message.content }}\n{% endfor %}";

    private readonly TemporaryFolder _folder = new();
    private WebApplication? _server;

    public LanguageModel Model { get; private set; } = null!;

    public string Url { get; private set; } = "";

    public EngineStatus Status => _server!.Services.GetRequiredService<InferenceEngine>().Status;

    public async Task InitializeAsync()
    {
        RandomCheckpoint.Write(_folder["checkpoint"], TestConfigs.LatentMoE with { MaxPositionEmbeddings = 1 << 15 }, rows: 1, tokens: 8);
        Exporter.Run(new ExportOptions { Checkpoint = _folder["checkpoint"], Output = _folder["small-moe"] });
        Model = LanguageModel.Load(_folder["small-moe"], new() { Device = Device.Cpu, Threads = 1 });
        var options = new ServerOptions { Port = 0, ApiKeys = [Key], ChatTemplate = ChatTemplate, Engine = new() { TrackExperts = true } };
        _server = LatentMoEServer.Build(Model, options, builder => builder.Logging.ClearProviders());
        await _server.StartAsync();
        Url = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/";
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        Model?.Dispose();
        _folder.Dispose();
    }
}
