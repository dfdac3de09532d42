using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Masks;

/// <summary>
/// The byte strings of tokens as a trie, its nodes in depth-first order: a node's subtree runs up to its end. A walk steps an automaton
/// once for each start of a token that the language allows.
/// </summary>
internal sealed class TokenTrie
{
    private readonly Node[] _nodes;
    private readonly int[] _tokens; // in the order of their nodes
    private readonly int _depth;

    /// <param name="tokens">Ids and their bytes; those without bytes are left out.</param>
    public TokenTrie(IEnumerable<(int Id, byte[] Bytes)> tokens)
    {
        (int Id, byte[] Bytes)[] sorted = [.. tokens.Where(token => token.Bytes.Length > 0)];
        Array.Sort(sorted, (a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes) is var order and not 0 ? order : a.Id.CompareTo(b.Id));
        _tokens = [.. sorted.Select(token => token.Id)];
        _depth = sorted.Select(token => token.Bytes.Length).DefaultIfEmpty().Max();
        var nodes = new List<Node>();
        var path = new Stack<int>(); // the nodes of the token before
        byte[] before = [];
        for (int i = 0; i < sorted.Length; i++)
        {
            byte[] bytes = sorted[i].Bytes;
            Close(bytes.AsSpan().CommonPrefixLength(before));
            for (int depth = path.Count; depth < bytes.Length; depth++)
            {
                path.Push(nodes.Count);
                nodes.Add(new Node(bytes[depth], depth, i, 0));
            }
            before = bytes;
        }
        Close(0);
        nodes.Add(new Node(0, 0, sorted.Length, 0));
        _nodes = [.. nodes];

        void Close(int depth)
        {
            while (path.Count > depth)
            {
                int node = path.Pop();
                nodes[node] = nodes[node] with { End = nodes.Count };
            }
        }
    }

    /// <summary>Sets the bit of every token whose bytes can follow a state.</summary>
    public void Mark(Automaton automaton, State state, Span<ulong> mask)
    {
        var states = new State[_depth + 1];
        states[0] = state;
        for (int at = 0; at < _nodes.Length - 1;)
        {
            ref readonly var node = ref _nodes[at];
            var next = automaton.Step(states[node.Depth], node.Value);
            if (next.IsDead)
            {
                at = node.End;
                continue;
            }
            states[node.Depth + 1] = next;
            at++;
            for (int i = node.FirstToken; i < _nodes[at].FirstToken; i++)
            {
                mask[_tokens[i] >> 6] |= 1UL << (_tokens[i] & 63);
            }
        }
    }

    // A node's own tokens run up to the first one of the next node.
    private readonly record struct Node(byte Value, int Depth, int FirstToken, int End);
}
