using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary>What was said so far, and the prompt that it makes with the next question.</summary>
internal sealed class Conversation(ChatTemplate template)
{
    private readonly List<ChatTurn> _turns = [];

    /// <summary>What stands before the first question; null is nothing.</summary>
    public string? System { get; set; }

    /// <exception cref="ArgumentException">The template refuses the conversation.</exception>
    public string Prompt(string question) => template.Render([.. System is null ? Array.Empty<ChatTurn>() : [new ChatTurn("system", System)], .. _turns, new ChatTurn("user", question)]);

    public void Add(string question, string answer) => _turns.AddRange([new ChatTurn("user", question), new ChatTurn("assistant", answer)]);

    public void Reset() => _turns.Clear();
}
