namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Reads the statements of a template; <c>Parser.Expressions.cs</c> reads the expressions in them.</summary>
internal sealed partial class Parser
{
    private readonly List<Token> _tokens;
    private int _at, _depth, _loops;

    private Parser(List<Token> tokens) => _tokens = tokens;

    private Token Current => _tokens[_at];

    /// <exception cref="JinjaException">The text is no template, or has a statement that is not supported.</exception>
    public static BlockStatement Parse(string source)
    {
        return new Parser(Lexer.Read(source)).ParseBody("the template", 1, []);
    }

    // The statements up to one of these words, whose block has then been opened and the word not yet read.
    private BlockStatement ParseBody(string owner, int line, string[] ends)
    {
        var body = new List<Statement>();
        while (true)
        {
            var token = Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataStatement(token.Line, token.Text));
                    break;
                case TokenKind.OutputBegin:
                    body.Add(new OutputStatement(token.Line, ParseTuple()));
                    Expect(TokenKind.OutputEnd);
                    break;
                case TokenKind.BlockBegin when Current.Kind == TokenKind.Name && ends.Contains(Current.Text):
                    return new BlockStatement(line, body);
                case TokenKind.BlockBegin:
                    body.Add(Deeper(ParseStatement));
                    break;
                case TokenKind.End when ends.Length == 0:
                    return new BlockStatement(line, body);
                default:
                    throw new JinjaException(line, $"'{owner}' has no '{ends[^1]}'");
            }
        }
    }

    private Statement ParseStatement()
    {
        var token = Expect(TokenKind.Name);
        return token.Text switch
        {
            "for" => ParseFor(token.Line),
            "if" => ParseIf(token.Line),
            "set" => ParseSet(token.Line),
            "macro" => ParseMacro(token.Line),
            "call" => ParseCall(token.Line),
            "filter" => ParseFilterBlock(token.Line),
            "generation" => EndBlock("generation", token.Line, "endgeneration"), // marks what to train on; renders as its body
            "break" => ParseLoopControl(token, Flow.Break),
            "continue" => ParseLoopControl(token, Flow.Continue),
            "elif" or "else" or "endif" or "endfor" or "endset" or "endmacro" or "endcall" or "endfilter" or "endgeneration" =>
                throw new JinjaException(token.Line, $"'{token.Text}' without its beginning"),
            _ => throw new JinjaException(token.Line, $"the statement '{token.Text}' is not supported"),
        };
    }

    private BlockStatement EndBlock(string owner, int line, string end)
    {
        Expect(TokenKind.BlockEnd);
        var body = ParseBody(owner, line, [end]);
        Next();
        Expect(TokenKind.BlockEnd);
        return body;
    }

    private ForStatement ParseFor(int line)
    {
        var target = ParseTarget(attributes: false);
        ExpectWord("in");
        var items = ParseTuple(conditional: false);
        var condition = TakeWord("if") ? ParseExpression() : null;
        if (Current.Is(TokenKind.Name, "recursive"))
        {
            throw new JinjaException(line, "'recursive' loops are not supported; use a macro");
        }
        Expect(TokenKind.BlockEnd);
        _loops++;
        var body = ParseBody("for", line, ["else", "endfor"]);
        _loops--;
        var otherwise = Next().Text == "else" ? EndBlock("for", line, "endfor") : null;
        if (otherwise is null)
        {
            Expect(TokenKind.BlockEnd);
        }
        return new ForStatement(line, target, items, condition, body, otherwise);
    }

    private IfStatement ParseIf(int line)
    {
        var condition = ParseTuple(conditional: false);
        Expect(TokenKind.BlockEnd);
        var then = ParseBody("if", line, ["elif", "else", "endif"]);
        var word = Next();
        if (word.Text == "elif")
        {
            return new IfStatement(line, condition, then, Deeper(() => ParseIf(word.Line)));
        }
        if (word.Text == "else")
        {
            return new IfStatement(line, condition, then, EndBlock("if", line, "endif"));
        }
        Expect(TokenKind.BlockEnd);
        return new IfStatement(line, condition, then, null);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(attributes: true);
        if (TakeOperator("="))
        {
            var value = ParseTuple();
            Expect(TokenKind.BlockEnd);
            return new SetStatement(line, target, value);
        }
        var through = ParseFilters();
        return new CaptureStatement(line, target, through, EndBlock("set", line, "endset"));
    }

    private CaptureStatement ParseFilterBlock(int line)
    {
        var through = new List<FilterExpression> { ParseFilter(null) };
        through.AddRange(ParseFilters());
        return new CaptureStatement(line, null, through, EndBlock("filter", line, "endfilter"));
    }

    private List<FilterExpression> ParseFilters()
    {
        var filters = new List<FilterExpression>();
        while (TakeOperator("|"))
        {
            filters.Add(ParseFilter(null));
        }
        return filters;
    }

    private MacroStatement ParseMacro(int line)
    {
        string name = Expect(TokenKind.Name).Text;
        ExpectOperator("(");
        return new MacroStatement(line, name, new Macro(ParseParameters(), ParseMacroBody("macro", line)));
    }

    private CallStatement ParseCall(int line)
    {
        List<(string, Expression?)> parameters = TakeOperator("(") ? ParseParameters() : [];
        var call = ParseExpression() as CallExpression ?? throw new JinjaException(line, "'call' wants the call of a macro");
        return new CallStatement(line, call, new Macro(parameters, ParseMacroBody("call", line)));
    }

    private List<(string Name, Expression? Default)> ParseParameters() =>
        ParseItems(")", () => (Expect(TokenKind.Name).Text, TakeOperator("=") ? ParseExpression() : null));

    private BlockStatement ParseMacroBody(string owner, int line)
    {
        int loops = _loops;
        _loops = 0;
        var body = EndBlock(owner, line, "end" + owner);
        _loops = loops;
        return body;
    }

    private LoopControlStatement ParseLoopControl(Token word, Flow flow)
    {
        Expect(TokenKind.BlockEnd);
        return _loops > 0 ? new LoopControlStatement(word.Line, flow) : throw new JinjaException(word.Line, $"'{word.Text}' outside of a loop");
    }

    private Target ParseTarget(bool attributes)
    {
        var parts = new List<Target>();
        bool bracket = TakeOperator("("), several = bracket;
        do
        {
            string name = Expect(TokenKind.Name).Text;
            parts.Add(new Target(name, attributes && TakeOperator(".") ? Expect(TokenKind.Name).Text : null, null));
        }
        while (TakeOperator(",") && (several = true) && Current.Kind == TokenKind.Name && Current.Text != "in");
        if (bracket)
        {
            ExpectOperator(")");
        }
        return several && parts.Count > 1 ? new Target("", null, parts) : parts[0];
    }

    private T Deeper<T>(Func<T> parse)
    {
        if (++_depth > Budget.MaxDepth)
        {
            throw new JinjaException(Current.Line, $"statements or brackets are nested more than {Budget.MaxDepth} deep");
        }
        var result = parse();
        _depth--;
        return result;
    }

    private Token Next() => Current.Kind == TokenKind.End ? Current : _tokens[_at++];

    private Token Expect(TokenKind kind) => Current.Kind == kind ? Next()
        : throw new JinjaException(Current.Line, $"expected {(kind == TokenKind.Name ? "a name" : new Token(kind, "", 0))}, found {Current}");

    private void ExpectOperator(string text)
    {
        if (!TakeOperator(text))
        {
            throw new JinjaException(Current.Line, $"expected '{text}', found {Current}");
        }
    }

    private void ExpectWord(string word)
    {
        if (!TakeWord(word))
        {
            throw new JinjaException(Current.Line, $"expected '{word}', found {Current}");
        }
    }

    private bool TakeOperator(string text) => Take(TokenKind.Operator, text);

    private bool TakeWord(string word) => Take(TokenKind.Name, word);

    private bool Take(TokenKind kind, string text)
    {
        bool taken = Current.Is(kind, text);
        _at += taken ? 1 : 0;
        return taken;
    }
}
