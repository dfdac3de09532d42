namespace LatentMoE.Checkpoints.Tokenization.Internals;

internal enum PatternStep : byte { Take, Fork, Jump, Look, Match }

/// <summary>
/// One instruction of a pattern. Take moves over a code point of <paramref name="Set"/>; Fork tries <paramref name="First"/> before
/// <paramref name="Second"/>; Look goes on where the next code point is of the set, or, with <paramref name="AtEnd"/>, where there is none.
/// </summary>
internal readonly record struct PatternInstruction(PatternStep Step, int First = 0, int Second = 0, CodePointSet? Set = null, bool AtEnd = false);

/// <summary>A part of a pattern, which writes its instructions one after the other.</summary>
internal abstract record PatternNode
{
    public abstract void Compile(PatternProgram program);
}

internal sealed record TakeNode(CodePointSet Set) : PatternNode
{
    public override void Compile(PatternProgram program) => program.Add(new PatternInstruction(PatternStep.Take, Set: Set));
}

internal sealed record LookNode(CodePointSet Set, bool AtEnd) : PatternNode
{
    public override void Compile(PatternProgram program) => program.Add(new PatternInstruction(PatternStep.Look, Set: Set, AtEnd: AtEnd));
}

internal sealed record SequenceNode(IReadOnlyList<PatternNode> Parts) : PatternNode
{
    public override void Compile(PatternProgram program)
    {
        foreach (PatternNode part in Parts)
        {
            part.Compile(program);
        }
    }
}

internal sealed record ChoiceNode(IReadOnlyList<PatternNode> Choices) : PatternNode
{
    public override void Compile(PatternProgram program)
    {
        var ends = new List<int>();
        for (int i = 0; i < Choices.Count; i++)
        {
            int fork = i + 1 < Choices.Count ? program.Add(default) : -1;
            Choices[i].Compile(program);
            if (fork >= 0)
            {
                ends.Add(program.Add(default));
                program[fork] = new PatternInstruction(PatternStep.Fork, fork + 1, program.Count);
            }
        }
        ends.ForEach(end => program[end] = new PatternInstruction(PatternStep.Jump, program.Count));
    }
}

/// <summary>Most is -1 for any number.</summary>
internal sealed record RepeatNode(PatternNode Part, int Least, int Most, bool Lazy) : PatternNode
{
    public override void Compile(PatternProgram program)
    {
        for (int i = 0; i < Least; i++)
        {
            Part.Compile(program);
        }
        if (Most < 0)
        {
            int fork = program.Add(default);
            Part.Compile(program);
            program.Add(new PatternInstruction(PatternStep.Jump, fork));
            program[fork] = Fork(fork + 1, program.Count);
            return;
        }
        var forks = new List<int>();
        for (int i = Least; i < Most; i++)
        {
            forks.Add(program.Add(default));
            Part.Compile(program);
        }
        forks.ForEach(fork => program[fork] = Fork(fork + 1, program.Count));
    }

    private PatternInstruction Fork(int into, int past) => new(PatternStep.Fork, Lazy ? past : into, Lazy ? into : past);
}

/// <summary>The instructions of a whole pattern; the last is Match.</summary>
internal sealed class PatternProgram
{
    private const int Longest = 4096;

    private readonly List<PatternInstruction> _instructions = [];

    public PatternProgram(PatternNode pattern)
    {
        pattern.Compile(this);
        Add(new PatternInstruction(PatternStep.Match));
    }

    public int Count => _instructions.Count;

    public PatternInstruction this[int at]
    {
        get => _instructions[at];
        set => _instructions[at] = value;
    }

    /// <exception cref="FormatException">The pattern is too long.</exception>
    public int Add(PatternInstruction instruction)
    {
        if (_instructions.Count >= Longest)
        {
            throw new FormatException($"it needs more than {Longest} steps once its repetitions are written out");
        }
        _instructions.Add(instruction);
        return _instructions.Count - 1;
    }
}
