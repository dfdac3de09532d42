using LatentMoE.Runtime;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>A model package as services.</summary>
public static class LatentMoEServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="LanguageModel"/>, <see cref="InferenceEngine"/> and <see cref="IChatClient"/> of a package, one of each. The package is
    /// loaded when one of them is first asked for; the container disposes of the engine before the model.
    /// </summary>
    /// <param name="services">The container's services.</param>
    /// <param name="packageFolder">As the Export target writes it.</param>
    /// <param name="configure">Changes the options before the package is loaded.</param>
    public static IServiceCollection AddLatentMoE(this IServiceCollection services, string packageFolder, Action<LatentMoEServiceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(packageFolder);
        var options = new Lazy<LatentMoEServiceOptions>(() =>
        {
            var configured = new LatentMoEServiceOptions();
            configure?.Invoke(configured);
            return configured;
        });
        // A container disposes in the reverse order of creation, and an engine is created after the model that it asks for.
        services.AddSingleton(provider => LanguageModel.Load(packageFolder, options.Value.Model with
        {
            Logger = options.Value.Model.Logger ?? provider.GetService<ILoggerFactory>()?.CreateLogger<LanguageModel>(),
        }));
        services.AddSingleton(provider => new InferenceEngine(provider.GetRequiredService<LanguageModel>(), options.Value.Engine,
            options.Value.Model.Logger ?? provider.GetService<ILoggerFactory>()?.CreateLogger<InferenceEngine>()));
        services.AddSingleton(provider => provider.GetRequiredService<InferenceEngine>().AsChatClient(options.Value.Generation));
        return services;
    }
}
