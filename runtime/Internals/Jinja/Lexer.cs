using System.Text;

namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>
/// Cuts a template into tokens with the white space rules that Hugging Face renders with (trim_blocks, lstrip_blocks): a statement or comment
/// takes the blanks before it on its line and the newline after it along; <c>-</c> takes all white space on its side, <c>+</c> none.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ","];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at, _line = 1;
    private bool _lineStarts = true;

    private Lexer(string source) => _source = source;

    public static List<Token> Read(string source)
    {
        source = source.ReplaceLineEndings("\n");
        var lexer = new Lexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_at < _source.Length)
        {
            int open = FindOpening();
            string data = _source[_at..open];
            if (open == _source.Length)
            {
                Add(TokenKind.Data, data);
                Advance(open);
                break;
            }
            char kind = _source[open + 1];
            char sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
            Add(TokenKind.Data, Shorten(data, kind, sign));
            Advance(open + (sign == ' ' ? 2 : 3));
            switch (kind)
            {
                case '#': ReadComment(); break;
                case '%' when TryReadRaw(): break;
                case '%': ReadCode(TokenKind.BlockBegin, TokenKind.BlockEnd, "%}"); break;
                default: ReadCode(TokenKind.OutputBegin, TokenKind.OutputEnd, "}}"); break;
            }
        }
        Add(TokenKind.End, "");
    }

    private int FindOpening()
    {
        int open = _at;
        while ((open = _source.IndexOf('{', open)) >= 0 && !(open + 1 < _source.Length && _source[open + 1] is '{' or '%' or '#'))
        {
            open++;
        }
        return open < 0 ? _source.Length : open;
    }

    // The text before an opening, less what the opening takes along.
    private string Shorten(string data, char kind, char sign)
    {
        if (sign == '-')
        {
            return data.TrimEnd();
        }
        int line = data.LastIndexOf('\n') + 1;
        bool takes = kind != '{' && sign != '+' && (line > 0 || _lineStarts) && string.IsNullOrWhiteSpace(data[line..]);
        return takes ? data[..line] : data;
    }

    private void ReadComment()
    {
        int start = _line, end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new JinjaException(start, "a comment that {# begins has no #}");
        }
        Close(end, "#}");
    }

    // Passes a closing mark with the sign before it, and the white space that it takes.
    private void Close(int mark, string close, bool trim = true)
    {
        char sign = mark > 0 ? _source[mark - 1] : ' ';
        int end = mark + close.Length;
        if (sign == '-')
        {
            while (end < _source.Length && char.IsWhiteSpace(_source[end]))
            {
                end++;
            }
        }
        else if (trim && sign != '+' && end < _source.Length && _source[end] == '\n')
        {
            end++;
        }
        Advance(end);
    }

    private bool TryReadRaw()
    {
        if (!TryMatchWord(_at, "raw", out int mark))
        {
            return false;
        }
        int start = _line;
        Close(mark, "%}", trim: false);
        for (int open = _at; (open = _source.IndexOf("{%", open, StringComparison.Ordinal)) >= 0; open++)
        {
            char sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
            if (TryMatchWord(open + (sign == ' ' ? 2 : 3), "endraw", out int end))
            {
                Add(TokenKind.Data, Shorten(_source[_at..open], '%', sign));
                Close(end, "%}");
                return true;
            }
        }
        throw new JinjaException(start, "'raw' has no 'endraw'");
    }

    // Whether a block holds this word alone; mark is where its %} stands.
    private bool TryMatchWord(int at, string word, out int mark)
    {
        int end = SkipBlanks(at);
        mark = 0;
        if (string.CompareOrdinal(_source, end, word, 0, word.Length) != 0)
        {
            return false;
        }
        end = SkipBlanks(end + word.Length);
        mark = end < _source.Length && _source[end] is '-' or '+' ? end + 1 : end;
        return string.CompareOrdinal(_source, mark, "%}", 0, 2) == 0;
    }

    private int SkipBlanks(int at)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at]))
        {
            at++;
        }
        return at;
    }

    private void ReadCode(TokenKind begin, TokenKind end, string close)
    {
        var brackets = new Stack<char>();
        int start = _line;
        Add(begin, "");
        while (true)
        {
            Advance(SkipBlanks(_at));
            if (_at == _source.Length)
            {
                throw new JinjaException(start, $"{(end == TokenKind.BlockEnd ? "{%" : "{{")} has no {close}");
            }
            int mark = _source[_at] is '-' or '+' ? _at + 1 : _at;
            if (brackets.Count == 0 && string.CompareOrdinal(_source, mark, close, 0, 2) == 0)
            {
                Add(end, "");
                Close(mark, close, trim: end == TokenKind.BlockEnd);
                return;
            }
            ReadToken(brackets);
        }
    }

    private void ReadToken(Stack<char> brackets)
    {
        char c = _source[_at];
        int end = _at + 1;
        if (char.IsLetter(c) || c == '_')
        {
            while (end < _source.Length && (char.IsLetterOrDigit(_source[end]) || _source[end] == '_'))
            {
                end++;
            }
            Take(TokenKind.Name, end);
        }
        else if (char.IsAsciiDigit(c))
        {
            ReadNumber();
        }
        else if (c is '"' or '\'')
        {
            ReadString(c);
        }
        else
        {
            string sign = Operators.FirstOrDefault(o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
                ?? throw new JinjaException(_line, $"unexpected character '{c}'");
            Balance(brackets, sign[0]);
            Take(TokenKind.Operator, _at + sign.Length);
        }
    }

    private void Balance(Stack<char> brackets, char sign)
    {
        switch (sign)
        {
            case '(': brackets.Push(')'); break;
            case '[': brackets.Push(']'); break;
            case '{': brackets.Push('}'); break;
            case ')' or ']' or '}' when !brackets.TryPop(out char expected) || expected != sign:
                throw new JinjaException(_line, $"unexpected '{sign}'");
        }
    }

    private void ReadNumber()
    {
        bool afterDot = _tokens[^1].Is(TokenKind.Operator, ".");
        int end = Digits(_at);
        var kind = TokenKind.Integer;
        if (!afterDot && end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
        {
            (kind, end) = (TokenKind.Float, Digits(end + 1));
        }
        if (!afterDot && end < _source.Length && _source[end] is 'e' or 'E')
        {
            int exponent = end + 1 < _source.Length && _source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
            {
                (kind, end) = (TokenKind.Float, Digits(exponent));
            }
        }
        Add(kind, _source[_at..end].Replace("_", "", StringComparison.Ordinal));
        Advance(end);
    }

    private int Digits(int at)
    {
        while (at < _source.Length && (char.IsAsciiDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1]))))
        {
            at++;
        }
        return at;
    }

    private void ReadString(char quote)
    {
        var text = new StringBuilder();
        int at = _at + 1;
        for (; at < _source.Length && _source[at] != quote; at++)
        {
            if (_source[at] == '\\' && at + 1 < _source.Length)
            {
                at = Escape(at + 1, text);
            }
            else
            {
                text.Append(_source[at]);
            }
        }
        if (at >= _source.Length)
        {
            throw new JinjaException(_line, "a string is not closed");
        }
        Add(TokenKind.String, text.ToString());
        Advance(at + 1);
    }

    // Python's escapes; returns the place of the last character that belongs to it.
    private int Escape(int at, StringBuilder text)
    {
        int digits = _source[at] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            int end = at + 1 + digits;
            bool known = end <= _source.Length
                & uint.TryParse(_source.AsSpan(at + 1, Math.Min(digits, _source.Length - at - 1)), System.Globalization.NumberStyles.AllowHexSpecifier, null, out uint code)
                && code <= 0x10FFFF;
            if (!known)
            {
                throw new JinjaException(_line, $"'\\{_source[at]}' in a string wants {digits} hexadecimal digits of a character");
            }
            text.Append(code is >= 0xD800 and <= 0xDFFF ? "\uFFFD" : char.ConvertFromUtf32((int)code));
            return end - 1;
        }
        const string Letters = "abfnrtv0\\'\"", Meanings = "\a\b\f\n\r\t\v\0\\'\"";
        int letter = Letters.IndexOf(_source[at]);
        if (letter >= 0)
        {
            text.Append(Meanings[letter]);
        }
        else if (_source[at] != '\n')
        {
            text.Append('\\').Append(_source[at]);
        }
        return at;
    }

    private void Take(TokenKind kind, int end)
    {
        Add(kind, _source[_at..end]);
        Advance(end);
    }

    private void Add(TokenKind kind, string text)
    {
        if (kind != TokenKind.Data || text.Length > 0)
        {
            _tokens.Add(new Token(kind, text, _line));
        }
    }

    private void Advance(int to)
    {
        _line += _source.AsSpan(_at, to - _at).Count('\n');
        _lineStarts = to > _at ? _source[to - 1] == '\n' : _lineStarts;
        _at = to;
    }
}
