namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>
/// Reads bytes of a language with a set of stacks, the states worked out as they are met and remembered. Safe for threads.
/// With a budget it reads all or throws; without, a string that can be read in very many ways loses some of them: what is still read
/// belongs to the language.
/// </summary>
internal sealed class Automaton
{
    /// <summary>Levels of nesting that are read; JSON parsers commonly refuse more.</summary>
    public const int MostLevels = 64;
    private const int MostStacks = 1024, MostSteps = 16 * MostStacks, MostStates = 16 * 1024;
    private readonly Budget? _budget;
    private readonly Lock _gate = new();
    private readonly Dictionary<State, State> _states = [];
    private readonly Stack<Frame?> _open = new();
    private readonly HashSet<Frame> _seen = [];
    private readonly List<Frame> _found = [];
    private bool _accepts;

    /// <param name="root">Its heights are settled.</param>
    public Automaton(Node root, Budget? budget = null)
    {
        Start = State.Dead; // until it is known
        _budget = budget;
        Classes = ByteClasses.Of(root);
        Enter(root, 0, null);
        Start = Close();
    }

    public ByteClasses Classes { get; }

    public State Start { get; }

    /// <summary>The state after one more byte; <see cref="State.Dead"/> where none can follow.</summary>
    public State Step(State state, byte value) =>
        state.IsLast ? State.Dead : state.Next[Classes[value]] ?? WorkOut(state, value);

    public bool Accepts(ReadOnlySpan<byte> text)
    {
        var state = Start;
        foreach (byte value in text)
        {
            state = Step(state, value);
        }
        return state.Accepts;
    }

    private State WorkOut(State state, byte value)
    {
        lock (_gate)
        {
            foreach (var stack in state.Stacks)
            {
                switch (stack.Node)
                {
                    case ByteRange range when value >= range.Low && value <= range.High:
                        _open.Push(stack.Next);
                        break;
                    case Regular regular when regular.Dfa.Next(stack.Value, value) is var next and not Dfa.None:
                        _open.Push(new Frame(regular, next, stack.Depth, stack.Next));
                        break;
                }
            }
            return state.Next[Classes[value]] = Close();
        }
    }

    // Replaces the open stacks by those whose top reads a byte.
    private State Close()
    {
        _accepts = false;
        while (_open.TryPop(out var stack))
        {
            if (stack is null)
            {
                _accepts = true;
            }
            else if (_seen.Add(stack))
            {
                Expand(stack);
            }
            if (_found.Count >= MostStacks || _seen.Count >= MostSteps)
            {
                _open.Clear();
                if (_budget is not null)
                {
                    throw _budget.TooComplex("a pattern can be read in too many ways");
                }
            }
        }
        _budget?.Spend(_seen.Count);
        var state = Intern();
        _seen.Clear();
        _found.Clear();
        return state;
    }

    private State Intern()
    {
        if (_found.Count == 0 && !_accepts)
        {
            return State.Dead;
        }
        var state = new State([.. _found], _accepts, Classes.Count);
        if (_states.TryGetValue(state, out var known))
        {
            return known;
        }
        if (_states.Count >= MostStates && _budget is null)
        {
            Forget();
        }
        return _states[state] = state;
    }

    // States in use live on, but no longer hold each other; equal ones that come are worked out again.
    private void Forget()
    {
        foreach (var state in _states.Keys)
        {
            Array.Clear(state.Next);
        }
        Array.Clear(Start.Next);
        _states.Clear();
    }

    private void Expand(Frame stack)
    {
        switch (stack.Node)
        {
            case ByteRange:
                _found.Add(stack);
                break;
            case Regular regular:
                if (regular.Dfa.Accepts(stack.Value))
                {
                    _open.Push(stack.Next);
                }
                if (!regular.Dfa.IsLast(stack.Value))
                {
                    _found.Add(stack);
                }
                break;
            case Sequence { Children: var parts }:
                if (parts.Count == 0)
                {
                    _open.Push(stack.Next);
                    break;
                }
                int after = stack.Value + 1;
                Enter(parts[stack.Value], stack.Depth, after == parts.Count ? stack.Next : new Frame(stack.Node, after, stack.Depth, stack.Next));
                break;
            case Choice { Children: var options }:
                for (int i = options.Count - 1; i >= 0; i--)
                {
                    Enter(options[i], stack.Depth, stack.Next);
                }
                break;
            case Repeat repeat:
                if (stack.Value >= repeat.Min)
                {
                    _open.Push(stack.Next);
                }
                if (stack.Value < repeat.Max)
                {
                    // Without a greatest count, those from the least on are all the same.
                    int count = repeat.Max == Repeat.Unlimited ? Math.Min(stack.Value + 1, repeat.Min) : stack.Value + 1;
                    Enter(repeat.Body, stack.Depth, new Frame(repeat, count, stack.Depth, stack.Next));
                }
                break;
            case Nested nested:
                Enter(nested.Body, stack.Depth + 1, stack.Next);
                break;
            case Reference reference:
                Enter(reference.Target, stack.Depth, stack.Next);
                break;
        }
    }

    // Only what can still be completed within the levels.
    private void Enter(Node node, int depth, Frame? next)
    {
        if (depth + node.Height <= MostLevels)
        {
            _open.Push(new Frame(node, 0, depth, next));
        }
    }
}
