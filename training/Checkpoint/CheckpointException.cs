namespace LatentMoE.Checkpoints;

/// <summary>A file that cannot be used: the message names the file, the place, what was expected and the remedy.</summary>
public class CheckpointException : Exception
{
    public CheckpointException(string message) : base(message) { }

    public CheckpointException(string message, Exception inner) : base(message, inner) { }
}
