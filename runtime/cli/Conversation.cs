using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary>What was said so far, and the prompt that it makes with the next question.</summary>
internal sealed class Conversation(LanguageModel model, ChatTemplate template)
{
    private readonly List<ChatTurn> _turns = [];

    /// <summary>What stands before the first question; null is nothing.</summary>
    public string? System { get; set; }

    /// <summary>Token ids, every special one of them the template's.</summary>
    /// <exception cref="ArgumentException">The template refuses the conversation.</exception>
    public int[] Prompt(string question)
    {
        ChatTurn[] before = System is null ? [] : [new ChatTurn("system", System)];
        return model.EncodeChat([.. before, .. _turns, new ChatTurn("user", question)], template);
    }

    public void Add(string question, string answer) => _turns.AddRange([new ChatTurn("user", question), new ChatTurn("assistant", answer)]);

    public void Reset() => _turns.Clear();
}
