using System.Globalization;

namespace LatentMoE.Runtime.Internals.Jinja;

// Loosest first: if/else, or, and, not, comparisons, + and -, ~, * / // %, **, signs; filters and tests bind tightest, after dots and brackets.
internal sealed partial class Parser
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    // A value, or values with commas between them, which make a tuple without brackets.
    private Expression ParseTuple(bool conditional = true)
    {
        Expression Part() => conditional ? ParseExpression() : ParseOr();
        var first = Part();
        if (!Current.Is(TokenKind.Operator, ","))
        {
            return first;
        }
        var items = new List<Expression> { first };
        while (TakeOperator(",") && !EndsTuple())
        {
            items.Add(Part());
        }
        return new ListExpression(items, IsTuple: true);
    }

    private bool EndsTuple() => Current.Kind is TokenKind.OutputEnd or TokenKind.BlockEnd || Current.Is(TokenKind.Operator, ")");

    private Expression ParseExpression() => Deeper(() =>
    {
        var value = ParseOr();
        while (TakeWord("if"))
        {
            var condition = ParseOr();
            value = new ConditionalExpression(value, condition, TakeWord("else") ? ParseExpression() : null);
        }
        return value;
    });

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (TakeWord("or"))
        {
            left = new LogicalExpression(false, left, ParseAnd());
        }
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (TakeWord("and"))
        {
            left = new LogicalExpression(true, left, ParseNot());
        }
        return left;
    }

    private Expression ParseNot() => TakeWord("not") ? new NotExpression(Deeper(ParseNot)) : ParseComparison();

    private Expression ParseComparison()
    {
        var first = ParseArithmetic(0);
        var rest = new List<(string, Expression)>();
        while (TakeComparison() is string sign)
        {
            rest.Add((sign, ParseArithmetic(0)));
        }
        return rest.Count == 0 ? first : new ComparisonExpression(first, rest);
    }

    private string? TakeComparison()
    {
        if (Current.Kind == TokenKind.Operator && Comparisons.Contains(Current.Text))
        {
            return Next().Text;
        }
        if (Current.Is(TokenKind.Name, "not") && _tokens[_at + 1].Is(TokenKind.Name, "in"))
        {
            _at += 2;
            return "not in";
        }
        return TakeWord("in") ? "in" : null;
    }

    private static readonly string[][] Levels = [["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"]];

    private Expression ParseArithmetic(int level)
    {
        if (level == Levels.Length)
        {
            return ParseSigned(filters: true);
        }
        var left = ParseArithmetic(level + 1);
        while (Current.Kind == TokenKind.Operator && Levels[level].Contains(Current.Text))
        {
            left = new ArithmeticExpression(Next().Text, left, ParseArithmetic(level + 1));
        }
        return left;
    }

    private Expression ParseSigned(bool filters)
    {
        bool minus = Current.Is(TokenKind.Operator, "-");
        var value = TakeOperator("-") || TakeOperator("+") ? new SignExpression(minus, Deeper(() => ParseSigned(filters: false))) : ParsePrimary();
        value = ParsePostfix(value);
        return filters ? ParseFiltersAndTests(value) : value;
    }

    private Expression ParsePrimary()
    {
        var token = Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new Literal(true),
                    "false" or "False" => new Literal(false),
                    "none" or "None" => new Literal(null),
                    _ => new NameExpression(token.Text),
                };
            case TokenKind.String:
                string text = token.Text;
                while (Current.Kind == TokenKind.String)
                {
                    text += Next().Text;
                }
                return new Literal(text);
            case TokenKind.Integer:
                return new Literal(long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
                    : throw new JinjaException(token.Line, $"{token.Text} does not fit 64 bits"));
            case TokenKind.Float:
                return new Literal(double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                return ParseBracket();
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(ParseItems("]", ParseExpression), IsTuple: false);
            case TokenKind.Operator when token.Text == "{":
                return new MappingExpression(ParseItems("}", () =>
                {
                    var key = ParseExpression();
                    ExpectOperator(":");
                    return (key, ParseExpression());
                }));
            default:
                throw new JinjaException(token.Line, $"expected a value, found {token}");
        }
    }

    private Expression ParseBracket()
    {
        if (TakeOperator(")"))
        {
            return new ListExpression([], IsTuple: true);
        }
        var value = ParseTuple();
        ExpectOperator(")");
        return value;
    }

    private List<T> ParseItems<T>(string close, Func<T> parse)
    {
        var items = new List<T>();
        while (!TakeOperator(close))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (TakeOperator(close))
                {
                    break;
                }
            }
            items.Add(parse());
        }
        return items;
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (TakeOperator("."))
            {
                var name = Next();
                value = name.Kind switch
                {
                    TokenKind.Name => new AttributeExpression(value, name.Text),
                    TokenKind.Integer when int.TryParse(name.Text, out int index) => new ItemExpression(value, new Literal((long)index)),
                    _ => throw new JinjaException(name.Line, $"expected a name after the dot, found {name}"),
                };
            }
            else if (TakeOperator("["))
            {
                value = ParseSubscript(value);
            }
            else if (TakeOperator("("))
            {
                value = new CallExpression(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseSubscript(Expression value)
    {
        Expression? Bound() => Current.Is(TokenKind.Operator, ":") || Current.Is(TokenKind.Operator, "]") ? null : ParseTuple();
        var start = Bound();
        if (!TakeOperator(":"))
        {
            ExpectOperator("]");
            return new ItemExpression(value, start ?? throw new JinjaException(Current.Line, "expected an index between [ and ]"));
        }
        var stop = Bound();
        var step = TakeOperator(":") ? Bound() : null;
        ExpectOperator("]");
        return new SliceExpression(value, start, stop, step);
    }

    private CallArguments ParseArguments()
    {
        bool named = false;
        return new CallArguments(ParseItems<(string?, Expression)>(")", () =>
        {
            var token = Current;
            if (TakeOperator("**"))
            {
                named = true;
                return ("**", ParseExpression());
            }
            if (TakeOperator("*"))
            {
                return ("*", ParseExpression());
            }
            if (token.Kind == TokenKind.Name && _tokens[_at + 1].Is(TokenKind.Operator, "="))
            {
                named = true;
                _at += 2;
                return (token.Text, ParseExpression());
            }
            return named ? throw new JinjaException(token.Line, "an argument without a name follows one with a name") : (null, ParseExpression());
        }));
    }

    private Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            if (TakeOperator("|"))
            {
                value = ParseFilter(value);
            }
            else if (TakeWord("is"))
            {
                value = ParseTest(value);
            }
            else if (TakeOperator("("))
            {
                value = new CallExpression(value, ParseArguments()); // a filter's value may be called
            }
            else
            {
                return value;
            }
        }
    }

    private FilterExpression ParseFilter(Expression? target)
    {
        string name = Expect(TokenKind.Name).Text;
        return new FilterExpression(target, name, TakeOperator("(") ? ParseArguments() : CallArguments.None);
    }

    private Expression ParseTest(Expression value)
    {
        bool negated = TakeWord("not");
        string name = Expect(TokenKind.Name).Text;
        CallArguments arguments = TakeOperator("(") ? ParseArguments()
            : BeginsValue() ? new CallArguments([(null, ParsePostfix(ParsePrimary()))])
            : CallArguments.None;
        Expression test = new TestExpression(value, name, arguments);
        return negated ? new NotExpression(test) : test;
    }

    // Whether the one argument of a test follows without brackets: x is divisibleby 3.
    private bool BeginsValue() => Current.Kind switch
    {
        TokenKind.Name => Current.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        TokenKind.Operator => Current.Text is "[" or "{",
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        _ => false,
    };
}
