using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Masks;

/// <summary>The tokens that may follow each state of a grammar, for one vocabulary: those used last are remembered. Safe for threads.</summary>
internal sealed class MaskCache
{
    private const int MostBytes = 32 * 1024 * 1024, StateBytes = 1024; // of a state that is remembered for its mask, about
    private readonly Automaton _automaton;
    private readonly TokenVocabulary _vocabulary;
    private readonly int _words, _most;
    private readonly Lock _gate = new();
    private readonly Dictionary<State, LinkedListNode<(State State, ulong[] Mask)>> _entries = [];
    private readonly LinkedList<(State State, ulong[] Mask)> _latestFirst = new();

    public MaskCache(Automaton automaton, TokenVocabulary vocabulary)
    {
        (_automaton, _vocabulary, _words) = (automaton, vocabulary, (vocabulary.Size + 63) / 64);
        _most = Math.Max(MostBytes / (8 * _words + StateBytes), 16);
    }

    /// <summary>A bit each, [vocabulary in words of 64 bits]. Never written to again.</summary>
    public ulong[] Find(State state)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(state, out var entry))
            {
                _latestFirst.Remove(entry);
                _latestFirst.AddFirst(entry);
                return entry.Value.Mask;
            }
        }
        ulong[] mask = WorkOut(state);
        lock (_gate)
        {
            if (!_entries.ContainsKey(state))
            {
                _entries[state] = _latestFirst.AddFirst((state, mask));
            }
            if (_entries.Count > _most)
            {
                _entries.Remove(_latestFirst.Last!.Value.State);
                _latestFirst.RemoveLast();
            }
        }
        return mask;
    }

    private ulong[] WorkOut(State state)
    {
        var mask = new ulong[_words];
        _vocabulary.Trie.Mark(_automaton, state, mask);
        foreach (int token in _vocabulary.EndTokens)
        {
            if (state.Accepts && (uint)token < (uint)_vocabulary.Size)
            {
                mask[token >> 6] |= 1UL << (token & 63);
            }
        }
        return mask;
    }
}
