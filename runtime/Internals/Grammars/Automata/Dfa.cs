namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>A deterministic automaton over bytes. From each of its states an accepting one can be reached.</summary>
internal sealed class Dfa
{
    public const int Start = 0, None = -1;
    private readonly Edge[][] _edges;
    private readonly bool[] _accepts;

    private Dfa(Edge[][] edges, bool[] accepts, ByteClasses classes) => (_edges, _accepts, Classes) = (edges, accepts, classes);

    public ByteClasses Classes { get; }

    public int Count => _edges.Length;

    public bool Accepts(int state) => _accepts[state];

    public bool IsLast(int state) => _edges[state].Length == 0;

    public int Next(int state, byte value)
    {
        foreach (var edge in _edges[state])
        {
            if (value <= edge.High)
            {
                return value >= edge.Low ? edge.Target : None;
            }
        }
        return None;
    }

    public void MarkEdges(bool[] starts)
    {
        foreach (var edge in _edges.SelectMany(edges => edges))
        {
            starts[edge.Low] = starts[edge.High + 1] = true;
        }
    }

    /// <summary>The automaton whose states are reached from the first by steps; null where it accepts nothing.</summary>
    /// <param name="step">The state after a byte, if there is one; the same for all bytes of a class.</param>
    public static Dfa? Build<T>(T first, ByteClasses classes, Func<T, byte, (bool Ok, T Next)> step, Func<T, bool> accepts, Budget budget)
        where T : notnull
    {
        var states = new List<T> { first };
        var numbers = new Dictionary<T, int> { [first] = Start };
        var edges = new List<Edge[]>();
        var targets = new int[classes.Count];
        for (int state = 0; state < states.Count; state++)
        {
            budget.Spend(classes.Count);
            Array.Fill(targets, -2);
            var found = new List<Edge>();
            for (int value = 0; value < 256; value++)
            {
                ref int target = ref targets[classes[(byte)value]];
                if (target == -2)
                {
                    var (ok, next) = step(states[state], (byte)value);
                    target = ok ? Number(next) : None;
                }
                if (target == None)
                {
                    continue;
                }
                if (found.Count > 0 && found[^1].High == value - 1 && found[^1].Target == target)
                {
                    found[^1] = found[^1] with { High = (byte)value };
                }
                else
                {
                    found.Add(new Edge((byte)value, (byte)value, target));
                }
            }
            edges.Add([.. found]);
        }
        return Trim(edges, [.. states.Select(accepts)], classes);

        int Number(T next)
        {
            if (!numbers.TryGetValue(next, out int number))
            {
                numbers[next] = number = states.Count;
                states.Add(next);
                budget.CheckStates(states.Count);
            }
            return number;
        }
    }

    /// <summary>What both accept; null where that is nothing.</summary>
    public static Dfa? Intersect(Dfa one, Dfa other, Budget budget) => Build((Start, Start), ByteClasses.Refine(one.Classes, other.Classes),
        ((int A, int B) s, byte value) => one.Next(s.A, value) is var a and not None && other.Next(s.B, value) is var b and not None
            ? (true, (a, b)) : default,
        s => one.Accepts(s.Item1) && other.Accepts(s.Item2), budget);

    /// <summary>The automaton of a language without nesting; null where it has no string.</summary>
    public static Dfa? Of(Node node, Budget budget)
    {
        var automaton = new Automaton(node, budget);
        return Build(automaton.Start, automaton.Classes, (state, value) => automaton.Step(state, value) is { IsDead: false } next ? (true, next) : (false, state),
            state => state.Accepts, budget);
    }

    /// <summary>Any one of the byte strings.</summary>
    public static Dfa OfLiterals(IReadOnlyCollection<byte[]> literals, Budget budget)
    {
        var next = new List<SortedDictionary<byte, int>> { new() };
        var ends = new HashSet<int>();
        foreach (byte[] literal in literals)
        {
            int state = Start;
            foreach (byte value in literal)
            {
                if (!next[state].TryGetValue(value, out int target))
                {
                    next[state][value] = target = next.Count;
                    next.Add([]);
                }
                state = target;
            }
            ends.Add(state);
        }
        budget.Spend(next.Count);
        return new Dfa([.. next.Select(row => row.Select(edge => new Edge(edge.Key, edge.Key, edge.Value)).ToArray())],
            [.. Enumerable.Range(0, next.Count).Select(ends.Contains)], ByteClasses.OfBytes(literals.SelectMany(literal => literal).Distinct().ToArray()));
    }

    // Drops the states from which nothing is accepted.
    private static Dfa? Trim(List<Edge[]> edges, bool[] accepts, ByteClasses classes)
    {
        var sources = new List<int>[edges.Count];
        for (int state = 0; state < edges.Count; state++)
        {
            foreach (var edge in edges[state])
            {
                (sources[edge.Target] ??= []).Add(state);
            }
        }
        var alive = (bool[])accepts.Clone();
        var open = new Stack<int>(Enumerable.Range(0, edges.Count).Where(state => alive[state]));
        while (open.TryPop(out int state))
        {
            foreach (int source in sources[state] ?? [])
            {
                if (!alive[source])
                {
                    alive[source] = true;
                    open.Push(source);
                }
            }
        }
        if (!alive[Start])
        {
            return null;
        }
        var numbers = new int[edges.Count];
        int count = 0;
        for (int state = 0; state < edges.Count; state++)
        {
            numbers[state] = alive[state] ? count++ : None;
        }
        return new Dfa([.. edges.Where((_, state) => alive[state])
            .Select(row => row.Where(edge => alive[edge.Target]).Select(edge => edge with { Target = numbers[edge.Target] }).ToArray())],
            [.. accepts.Where((_, state) => alive[state])], classes);
    }

    // Bytes of a range go to one state; a state's edges are in the order of their bytes.
    private readonly record struct Edge(byte Low, byte High, int Target);
}
