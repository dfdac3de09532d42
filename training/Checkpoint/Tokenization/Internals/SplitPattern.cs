using System.Runtime.InteropServices;
using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>
/// A regular expression as a finite automaton over classes of code points, built whole when it is read: a match takes one look-up a
/// character, whatever the pattern. A state is the list of places in the program that are still open, the preferred first, so that the
/// match is the one that a backtracking engine finds. What follows a place is looked at with the next character, which settles look-aheads.
/// </summary>
internal sealed class SplitPattern
{
    private const int MostStates = 4096, Dead = 0;

    private readonly PatternProgram _program;
    private readonly byte[] _basic = new byte[0x10000];
    private readonly int[] _starts;
    private readonly byte[] _classOf;
    private readonly int _end;
    private readonly int _first;

    // By state and class: twice the next state's offset, plus 1 where the match may end before the character.
    private readonly int[] _next;

    /// <exception cref="FormatException">The pattern is malformed or not supported; the message says what and where.</exception>
    public SplitPattern(string pattern)
    {
        _program = new PatternProgram(PatternParser.Parse(pattern));
        (_starts, _classOf, int[] examples) = Classify();
        for (int i = 0; i < _starts.Length && _starts[i] < 0x10000; i++)
        {
            _basic.AsSpan(_starts[i]..Math.Min(i + 1 < _starts.Length ? _starts[i + 1] : 0x10000, 0x10000)).Fill(_classOf[i]);
        }
        _end = examples.Length;
        (_next, _first) = Build(examples);
        if (Enumerable.Range(0, _end + 1).Any(kind => (_next[_first + kind] & 1) != 0))
        {
            throw new FormatException("it matches where there is nothing, which cuts no text");
        }
    }

    /// <summary>The end of the match that begins at <paramref name="start"/>, or -1.</summary>
    /// <param name="reached">Where it was certain.</param>
    public int Match(ReadOnlySpan<char> text, int start, out int reached)
    {
        int[] next = _next;
        byte[] basic = _basic;
        int state = _first, end = -1, at = start;
        while (true)
        {
            int kind = _end, width = 1;
            if ((uint)at < (uint)text.Length)
            {
                char c = text[at];
                kind = char.IsSurrogate(c) ? Supplementary(text[at..], out width) : basic[c];
            }
            int entry = next[state + kind];
            end = (entry & 1) != 0 ? at : end;
            state = entry >> 1;
            if (state == Dead)
            {
                reached = at;
                return end;
            }
            at += width;
        }
    }

    private byte Supplementary(ReadOnlySpan<char> text, out int width)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out width);
        int at = Array.BinarySearch(_starts, rune.Value);
        return _classOf[at >= 0 ? at : ~at - 1];
    }

    // Code points that no set of the program tells apart share a class.
    private (int[] Starts, byte[] ClassOf, int[] Examples) Classify()
    {
        CodePointSet[] sets = [.. Enumerable.Range(0, _program.Count).Select(at => _program[at].Set).OfType<CodePointSet>().Distinct()];
        int[] starts = [.. sets.SelectMany(set => set.Ranges).SelectMany(range => new[] { range.First, range.Last + 1 }).Append(0).Where(point => point <= CodePointSet.LastPoint).Distinct().Order()];
        var classes = new Dictionary<string, byte>();
        var examples = new List<int>();
        var classOf = new byte[starts.Length];
        foreach (var (i, point) in starts.Index())
        {
            string members = string.Create(sets.Length, point, (text, p) =>
            {
                for (int s = 0; s < sets.Length; s++)
                {
                    text[s] = sets[s].Contains(p) ? '1' : '0';
                }
            });
            if (!classes.TryGetValue(members, out classOf[i]))
            {
                if (classes.Count == byte.MaxValue)
                {
                    throw new FormatException($"it tells more than {byte.MaxValue} kinds of characters apart");
                }
                classOf[i] = (byte)classes.Count;
                classes.Add(members, classOf[i]);
                examples.Add(point);
            }
        }
        return (starts, classOf, [.. examples]);
    }

    private (int[] Next, int First) Build(int[] examples)
    {
        int stride = examples.Length + 1;
        var states = new Dictionary<string, int> { [""] = Dead };
        var open = new List<int[]> { Array.Empty<int>() };
        var next = new List<int>();
        int first = Offset([0]);
        for (int state = 0; state < open.Count; state++)
        {
            for (int kind = 0; kind < stride; kind++)
            {
                var (places, matched) = Step(open[state], kind < examples.Length ? examples[kind] : -1);
                next.Add(Offset(places) << 1 | (matched ? 1 : 0));
            }
        }
        return ([.. next], first);

        int Offset(int[] places)
        {
            string key = new(MemoryMarshal.Cast<int, char>(places));
            if (!states.TryGetValue(key, out int offset))
            {
                if (states.Count == MostStates)
                {
                    throw new FormatException($"its automaton has more than {MostStates} states");
                }
                states.Add(key, offset = states.Count * stride);
                open.Add(places);
            }
            return offset;
        }
    }

    // What is open after a code point (-1 for the end of the text), and whether a match may end before it.
    private (int[] Places, bool Matched) Step(int[] places, int point)
    {
        var seen = new HashSet<int>();
        var taken = new List<int>();
        var todo = new Stack<int>(places.Reverse());
        while (todo.TryPop(out int at))
        {
            if (!seen.Add(at))
            {
                continue;
            }
            PatternInstruction instruction = _program[at];
            switch (instruction.Step)
            {
                case PatternStep.Match:
                    return ([.. taken.Distinct()], true);
                case PatternStep.Take when point >= 0 && instruction.Set!.Contains(point):
                    taken.Add(at + 1);
                    break;
                case PatternStep.Look when point < 0 ? instruction.AtEnd : instruction.Set!.Contains(point):
                    todo.Push(at + 1);
                    break;
                case PatternStep.Jump:
                    todo.Push(instruction.First);
                    break;
                case PatternStep.Fork:
                    todo.Push(instruction.Second);
                    todo.Push(instruction.First);
                    break;
            }
        }
        return ([.. taken.Distinct()], false);
    }
}
