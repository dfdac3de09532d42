namespace LatentMoE.Feed;

/// <summary>A failure that the user can act on: its message is the whole of what is printed.</summary>
internal sealed class FeedException(string message) : Exception(message);
