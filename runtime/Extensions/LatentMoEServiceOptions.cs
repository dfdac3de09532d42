namespace LatentMoE.Runtime;

/// <summary>How <c>AddLatentMoE</c> loads a package, serves it and answers.</summary>
public sealed class LatentMoEServiceOptions
{
    /// <summary>How the package is loaded. Without a logger of its own, the container's is used.</summary>
    public LanguageModelOptions Model { get; set; } = new();

    /// <summary>How the model is shared among requests.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>What holds for chats where a request says nothing.</summary>
    public GenerationOptions Generation { get; set; } = new();
}
