namespace LatentMoE.Runtime;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">system, user, assistant, or what else the template knows.</param>
public sealed record ChatTurn(string Role, string Content);
