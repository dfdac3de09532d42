using LatentMoE.Runtime;
using LatentMoE.Server.Internals;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LatentMoE.Server;

/// <summary>An OpenAI-compatible HTTP server for one model.</summary>
public static class LatentMoEServer
{
    /// <summary>
    /// The server, ready to run: <see cref="WebApplication.StartAsync"/> binds it, SIGTERM and Ctrl-C drain it. Its container has the
    /// <see cref="InferenceEngine"/>, and disposing of the application disposes of that.
    /// </summary>
    /// <param name="model">Stays the caller's, to be disposed of after the application.</param>
    /// <param name="configure">Changes to the host, such as where it logs; by default to standard error.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the chat template is none.</exception>
    public static WebApplication Build(LanguageModel model, ServerOptions? options = null, Action<WebApplicationBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return ServerBuilder.Build(model, options ?? new ServerOptions(), configure);
    }
}
