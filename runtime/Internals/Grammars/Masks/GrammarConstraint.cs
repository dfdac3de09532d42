using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Masks;

/// <summary>One answer in the language of a grammar.</summary>
internal sealed class GrammarConstraint(Automaton automaton, TokenVocabulary vocabulary, MaskCache masks) : ITokenConstraint
{
    private State _state = automaton.Start;
    private ulong[]? _mask;

    public bool IsComplete => _state is { Accepts: true, IsLast: true };

    public ReadOnlySpan<ulong> Allowed() => _mask ??= masks.Find(_state);

    public void Accept(int token)
    {
        if ((uint)token >= (uint)vocabulary.Size || (Allowed()[token >> 6] >> (token & 63) & 1) == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(token), token, "The grammar does not allow this token here.");
        }
        if (vocabulary.EndTokens.Contains(token))
        {
            return; // the answer is whole and stays so
        }
        foreach (byte value in vocabulary.Bytes(token))
        {
            _state = automaton.Step(_state, value);
        }
        _mask = null;
    }
}
