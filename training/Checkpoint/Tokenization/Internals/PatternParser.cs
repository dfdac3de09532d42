using System.Globalization;
using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>
/// Reads a regular expression in the syntax that Hugging Face's tokenizers gives Oniguruma (Ruby's), over code points. What has no finite
/// automaton (backreferences, look-behind, possessive and atomic parts), and what nobody's pre-tokenizer uses, is refused by name.
/// </summary>
internal sealed class PatternParser
{
    private const int DeepestNesting = 64, MostRepeats = 1000;

    private readonly Rune[] _text;
    private int _at, _depth;

    private PatternParser(string pattern) => _text = [.. pattern.EnumerateRunes()];

    /// <exception cref="FormatException">What is wrong or unsupported, and at which character.</exception>
    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        PatternNode node = parser.Choice(ignoreCase: false);
        return parser._at == parser._text.Length ? node : throw parser.Wrong("a ) that nothing opens");
    }

    private bool More => _at < _text.Length;

    private int Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead].Value : -1;

    private bool Skip(string expected)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            if (Peek(i) != expected[i])
            {
                return false;
            }
        }
        _at += expected.Length;
        return true;
    }

    private FormatException Wrong(string what) => new($"character {_at + 1}: {what}");

    private Rune Take(string inside) => More ? _text[_at++] : throw Wrong($"it ends inside {inside}");

    private PatternNode Choice(bool ignoreCase)
    {
        if (++_depth > DeepestNesting)
        {
            throw Wrong($"groups nest deeper than {DeepestNesting}");
        }
        var choices = new List<PatternNode> { Sequence(ignoreCase) };
        while (Skip("|"))
        {
            choices.Add(Sequence(ignoreCase));
        }
        _depth--;
        return choices.Count == 1 ? choices[0] : new ChoiceNode(choices);
    }

    private SequenceNode Sequence(bool ignoreCase)
    {
        var parts = new List<PatternNode>();
        while (More && Peek() != '|' && Peek() != ')')
        {
            parts.Add(Repeated(Atom(ignoreCase)));
        }
        return new SequenceNode(parts);
    }

    private PatternNode Repeated(PatternNode part)
    {
        var (least, most) = Peek() switch { '?' => (0, 1), '*' => (0, -1), '+' => (1, -1), '{' => Counts(), _ => (1, 1) };
        if ((least, most) == (1, 1) && Peek() is not '{')
        {
            return part;
        }
        _at++;
        bool lazy = Skip("?");
        return Peek() is '+' or '*' or '?' or '{' ? throw Wrong("a possessive or doubled quantifier is not supported") : new RepeatNode(part, least, most, lazy);
    }

    // Leaves the position at the closing brace.
    private (int, int) Counts()
    {
        _at++;
        int least = Number(), most = Skip(",") ? Number() : least;
        if (Peek() != '}' || (least < 0 && most < 0) || (most >= 0 && most < least) || least > MostRepeats || most > MostRepeats)
        {
            throw Wrong($"expected {{n}}, {{n,}}, {{,m}} or {{n,m}} of at most {MostRepeats}");
        }
        return (Math.Max(least, 0), most);

        int Number()
        {
            int value = -1;
            for (; Peek() is >= '0' and <= '9' && value <= MostRepeats; _at++)
            {
                value = Math.Max(value, 0) * 10 + Peek() - '0';
            }
            return value;
        }
    }

    private PatternNode Atom(bool ignoreCase)
    {
        if (Skip("(?:"))
        {
            return Close(Choice(ignoreCase));
        }
        if (Skip("(?i:"))
        {
            return Close(Choice(ignoreCase: true));
        }
        if (Skip("(?-i:"))
        {
            return Close(Choice(ignoreCase: false));
        }
        bool not = Peek(2) == '!';
        if (Skip("(?=") || Skip("(?!"))
        {
            return Close(Choice(ignoreCase)) is SequenceNode { Parts: [TakeNode { Set: var next }] }
                ? new LookNode(not ? next.Complement() : next, AtEnd: not) : throw Wrong("looking ahead is supported for one character only");
        }
        if (Peek() == '(' && Peek(1) == '?')
        {
            throw Wrong($"the group (?{(Peek(2) < 0 ? "" : new Rune(Peek(2)))} is not supported");
        }
        if (Skip("("))
        {
            return Close(Choice(ignoreCase));
        }
        if (Skip("$"))
        {
            return new LookNode(CodePointSet.Of('\n', '\n'), AtEnd: true); // Ruby's $ is the end of any line.
        }
        if (Peek() is '^' or '*' or '+' or '?' or '{' or ']' or '}')
        {
            throw Wrong($"{new Rune(Peek())} is not supported here");
        }
        if (Skip("\\z"))
        {
            return new LookNode(CodePointSet.Empty, AtEnd: true);
        }
        CodePointSet set = Skip(".") ? CodePointSet.Of('\n', '\n').Complement() : Skip("[") ? Class() : Peek() == '\\' ? Escape() : CodePointSet.Of(Take("it"));
        return new TakeNode(ignoreCase ? BothCases(set) : set);
    }

    private PatternNode Close(PatternNode inside) => Skip(")") ? inside : throw Wrong("a group is not closed");

    // Oniguruma folds the long s and the Kelvin sign with ASCII's letters.
    private CodePointSet BothCases(CodePointSet set)
    {
        int[] letters = [.. Enumerable.Range('a', 26).Where(c => set.Contains(c) || set.Contains(c - 32))];
        if (set.Ranges is not [] && set.Ranges[^1].Last > 0x7F && set != CodePointSet.WhiteSpace)
        {
            throw Wrong("ignoring case is supported for ASCII only");
        }
        return CodePointSet.Union([set, .. letters.Select(c => CodePointSet.Of(c, c)), .. letters.Select(c => CodePointSet.Of(c - 32, c - 32)),
            .. letters.Contains('s') ? [CodePointSet.Of(0x17F, 0x17F)] : Array.Empty<CodePointSet>(), .. letters.Contains('k') ? [CodePointSet.Of(0x212A, 0x212A)] : Array.Empty<CodePointSet>()]);
    }

    private CodePointSet Class()
    {
        bool not = Skip("^");
        var parts = new List<CodePointSet>();
        while (!Skip("]"))
        {
            if (Peek() is '[' || (Peek() == '&' && Peek(1) == '&'))
            {
                throw Wrong("a class inside a class, or && of classes, is not supported");
            }
            CodePointSet part = Member();
            if (Peek() == '-' && Peek(1) is not ']' and not -1)
            {
                _at++;
                CodePointSet end = Member();
                if (part.Ranges is not [var (first, same)] || first != same || end.Ranges is not [var (last, also)] || last != also || last < first)
                {
                    throw Wrong("a range in a class has no two ends in order");
                }
                part = CodePointSet.Of(first, last);
            }
            parts.Add(part);
        }
        var set = CodePointSet.Union(parts);
        return parts.Count == 0 ? throw Wrong("an empty class") : not ? set.Complement() : set;
    }

    private CodePointSet Member() => Peek() == '\\' ? Escape() : CodePointSet.Of(Take("a class"));

    private CodePointSet Escape()
    {
        _at++;
        Rune name = Take("an escape");
        return name.Value switch
        {
            's' => CodePointSet.WhiteSpace,
            'S' => CodePointSet.WhiteSpace.Complement(),
            'd' => CodePointSet.Category("Nd")!,
            'D' => CodePointSet.Category("Nd")!.Complement(),
            'p' or 'P' => Property(name.Value == 'P'),
            'n' => CodePointSet.Of('\n', '\n'),
            'r' => CodePointSet.Of('\r', '\r'),
            't' => CodePointSet.Of('\t', '\t'),
            'f' => CodePointSet.Of('\f', '\f'),
            'v' => CodePointSet.Of('\v', '\v'),
            'x' => Hexadecimal(Peek() == '{' ? -1 : 2),
            'u' => Hexadecimal(4),
            _ when name.IsAscii && char.IsAsciiLetterOrDigit((char)name.Value) => throw Wrong($"\\{name} is not supported"),
            _ => CodePointSet.Of(name),
        };
    }

    private CodePointSet Property(bool not)
    {
        if (!Skip("{"))
        {
            throw Wrong("expected \\p{name}");
        }
        not ^= Skip("^");
        var name = new StringBuilder();
        for (Rune rune; (rune = Take("\\p{…}")).Value != '}';)
        {
            name.Append(rune);
        }
        CodePointSet set = CodePointSet.Category(name.ToString()) ?? throw Wrong($"\\p{{{name}}} is not supported; general categories such as L or Lu are");
        return not ? set.Complement() : set;
    }

    private CodePointSet Hexadecimal(int digits)
    {
        bool braces = digits < 0 && Skip("{");
        var text = new StringBuilder();
        while (braces ? !Skip("}") : text.Length < digits)
        {
            text.Append(Take("a hexadecimal escape"));
        }
        return int.TryParse(text.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && Rune.IsValid(value)
            && (digits != 2 || value < 0x80) ? CodePointSet.Of(value, value) : throw Wrong($"\"{text}\" is no code point in hexadecimal");
    }
}
