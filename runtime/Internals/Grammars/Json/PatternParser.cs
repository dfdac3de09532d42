using System.Globalization;
using System.Text;
using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Json;

/// <summary>
/// ECMA-262 regular expressions, with the meaning of the u flag, to languages: literals, '.', classes, escapes, groups, '|', ? * + {m,n},
/// and ^ and $ at the ends of the outermost alternatives. What is no regular language, or not listed, is refused by name.
/// </summary>
internal sealed class PatternParser
{
    private const int MostGroups = 100, MostRepeats = 10_000;
    private readonly string _pattern;
    private readonly bool _inString;
    private int _at, _groups;

    private PatternParser(string pattern, bool inString) => (_pattern, _inString) = (pattern, inString);

    /// <summary>The strings that contain a match, written as the inside of a JSON string or as plain text.</summary>
    /// <exception cref="FormatException">The pattern is wrong or not supported; the message says what and at which offset.</exception>
    public static Node Parse(string pattern, bool inString)
    {
        var parser = new PatternParser(pattern, inString);
        var alternatives = new List<Node>();
        do
        {
            alternatives.Add(parser.OuterAlternative());
        }
        while (parser.Take('|'));
        return parser._at == pattern.Length ? new Choice([.. alternatives]) : throw parser.Wrong("')' closes no group");
    }

    private Sequence OuterAlternative()
    {
        var any = new Repeat(CodePoints.All.ToNode(_inString), 0, Repeat.Unlimited);
        bool fromStart = Take('^');
        var body = Terms();
        bool toEnd = Take('$');
        if (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            throw Wrong("'$' before the end of an alternative is not supported");
        }
        return new Sequence(fromStart ? Node.Empty : any, body, toEnd ? Node.Empty : any);
    }

    private Choice Alternatives()
    {
        var alternatives = new List<Node>();
        do
        {
            alternatives.Add(Terms());
        }
        while (Take('|'));
        return new Choice([.. alternatives]);
    }

    private Sequence Terms()
    {
        var terms = new List<Node>();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')' or '$'))
        {
            terms.Add(Quantified(Atom()));
        }
        return new Sequence([.. terms]);
    }

    private Node Atom()
    {
        char c = _pattern[_at];
        switch (c)
        {
            case '(':
                return Group();
            case '[':
                _at++;
                return Class().ToNode(_inString);
            case '.':
                _at++;
                return CodePoints.LineEnds.Complement().ToNode(_inString);
            case '\\':
                return Escape(inClass: false).ToNode(_inString);
            case '^':
                throw Wrong("'^' within an alternative is not supported");
            case '*' or '+' or '?' or '{':
                throw Wrong($"nothing to repeat before '{c}'");
            case '}' or ']':
                throw Wrong($"'{c}' must be written '\\{c}'");
            default:
                int literal = CodePoint();
                return new CodePoints((literal, literal)).ToNode(_inString);
        }
    }

    private Choice Group()
    {
        _at++;
        if (Take('?') && !Take(':'))
        {
            throw Wrong($"the group '(?{Here()}' is not supported; only (…) and (?:…) are");
        }
        if (++_groups > MostGroups)
        {
            throw Wrong($"more than {MostGroups} groups within each other");
        }
        var body = Alternatives();
        if (!Take(')'))
        {
            throw Wrong(_at == _pattern.Length ? "a group is not closed" : "'$' within a group is not supported");
        }
        _groups--;
        return body;
    }

    private Node Quantified(Node atom)
    {
        (int Min, int Max)? count = Take('*') ? (0, Repeat.Unlimited) : Take('+') ? (1, Repeat.Unlimited) : Take('?') ? (0, 1) : Take('{') ? Counts() : null;
        if (count is null)
        {
            return atom;
        }
        Take('?'); // as few as possible: the same strings
        return new Repeat(atom, count.Value.Min, count.Value.Max);
    }

    private (int Min, int Max) Counts()
    {
        int min = Number(), max = !Take(',') ? min : _at < _pattern.Length && _pattern[_at] == '}' ? Repeat.Unlimited : Number();
        return Take('}') && min <= max ? (min, max) : throw Wrong("expected {m}, {m,} or {m,n} with m at most n");
    }

    private int Number()
    {
        int start = _at;
        while (_at < _pattern.Length && char.IsAsciiDigit(_pattern[_at]))
        {
            _at++;
        }
        return int.TryParse(_pattern.AsSpan(start.._at), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= MostRepeats
            ? value : throw Wrong($"expected a count from 0 to {MostRepeats}");
    }

    private CodePoints Class()
    {
        bool negated = Take('^');
        var set = new CodePoints();
        while (!Take(']'))
        {
            var (first, low) = ClassAtom();
            if (low >= 0 && _at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                var (_, high) = ClassAtom();
                set.Add(high >= low ? (low, high) : throw Wrong("a range of a class ends before it starts"));
                continue;
            }
            set.Add(first);
        }
        return negated ? set.Complement() : set;
    }

    // A set, and its only member if it was written as one.
    private (CodePoints Set, int Single) ClassAtom()
    {
        if (_at == _pattern.Length)
        {
            throw Wrong("a class is not closed");
        }
        if (_pattern[_at] == '\\')
        {
            int single = -1;
            return (Escape(inClass: true, value => single = value), single);
        }
        int literal = CodePoint();
        return (new CodePoints((literal, literal)), literal);
    }

    private CodePoints Escape(bool inClass, Action<int>? single = null)
    {
        _at++;
        if (_at == _pattern.Length)
        {
            throw Wrong("a '\\' at the end");
        }
        char c = _pattern[_at++];
        int value = c switch
        {
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            'b' when inClass => 8,
            '0' when _at == _pattern.Length || !char.IsAsciiDigit(_pattern[_at]) => 0,
            'x' => Hex(2),
            'u' => Unicode(),
            'd' or 'D' or 'w' or 'W' or 's' or 'S' => -1,
            _ when char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c) => c,
            _ => throw Wrong($"the escape '\\{c}' is not supported", back: 2),
        };
        if (value >= 0)
        {
            single?.Invoke(value);
            return new CodePoints((value, value));
        }
        var set = char.ToLowerInvariant(c) switch { 'd' => CodePoints.Digits, 'w' => CodePoints.Word, _ => CodePoints.Space };
        return char.IsLower(c) ? set : set.Complement();
    }

    private int Unicode()
    {
        int value;
        if (Take('{'))
        {
            int end = _pattern.IndexOf('}', _at);
            value = end > _at && end - _at <= 6 ? Hex(end - _at) : throw Wrong("expected \\u{…} with one to six hexadecimal digits");
            _at++;
        }
        else
        {
            value = Hex(4);
            if (char.IsHighSurrogate((char)value) && _pattern.AsSpan(_at).StartsWith("\\u"))
            {
                _at += 2;
                int low = Hex(4);
                value = char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)value, (char)low) : throw Wrong("half a surrogate pair");
            }
        }
        return Rune.IsValid(value) ? value : throw Wrong($"\\u{value:X4} is no character");
    }

    private int Hex(int digits)
    {
        if (_at + digits <= _pattern.Length && int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            _at += digits;
            return value;
        }
        throw Wrong($"expected {digits} hexadecimal digits");
    }

    private int CodePoint()
    {
        if (!Rune.TryGetRuneAt(_pattern, _at, out var rune))
        {
            throw Wrong("half a surrogate pair");
        }
        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private bool Take(char expected)
    {
        bool there = _at < _pattern.Length && _pattern[_at] == expected;
        _at += there ? 1 : 0;
        return there;
    }

    private string Here() => _at < _pattern.Length ? _pattern[_at].ToString() : "";

    private FormatException Wrong(string what, int back = 0) => new($"{what} (offset {_at - back} of {_pattern.Length})");
}
