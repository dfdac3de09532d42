using System.Text;
using System.Text.Json;

namespace LatentMoE.Runtime.Tests.Grammars;

public class GrammarTests
{
    [Fact]
    public void FromJsonSchema_AcceptsAndRefusesAsListed()
    {
        var wrong = new List<string>();
        foreach (var (schema, good, bad) in Schemas.All)
        {
            var grammar = Grammar.FromJsonSchema(schema);
            foreach (string text in good)
            {
                if (!grammar.Accepts(Encoding.UTF8.GetBytes(text), out int read))
                {
                    wrong.Add($"{schema} refuses {text} after {read} bytes");
                }
            }
            wrong.AddRange(bad.Where(grammar.Accepts).Select(text => $"{schema} accepts {text}"));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1500)]
    public void Walks_AnswersAreValid(int merged)
    {
        var vocabulary = merged == 0 ? Walk.Bytes : Walk.Merged(merged, seed: 1);
        var random = new Random(2);
        foreach (string schema in Schemas.Validated)
        {
            CheckWalks(schema, vocabulary, random, trials: 6);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1500)]
    public void Walks_OfRandomSchemas_AreValid(int merged)
    {
        var vocabulary = merged == 0 ? Walk.Bytes : Walk.Merged(merged, seed: 3);
        var random = new Random(4);
        for (int i = 0; i < 60; i++)
        {
            CheckWalks(RandomSchema.Create(random, 3).Schema.ToJsonString(), vocabulary, random, trials: 3);
        }
    }

    [Fact]
    public void RandomSchemas_AcceptTheirInstances()
    {
        var random = new Random(5);
        for (int i = 0; i < 200; i++)
        {
            var made = RandomSchema.Create(random, 3);
            string schema = made.Schema.ToJsonString();
            var grammar = Grammar.FromJsonSchema(schema);
            for (int trial = 0; trial < 10; trial++)
            {
                string instance = made.Instance(random);
                Assert.Null(new SchemaValidator(schema).Error(instance)); // the maker and the validator agree
                Assert.True(grammar.Accepts(Encoding.UTF8.GetBytes(instance), out int read), $"{schema}\nrefuses {instance}\nafter {read} bytes");
            }
        }
    }

    [Fact]
    public void Allowed_IsWhatTheBytesOfEachTokenAllow()
    {
        var vocabulary = Walk.Merged(700, seed: 6);
        var random = new Random(7);
        foreach (string schema in Schemas.Validated.Append(Schemas.Mixed))
        {
            var grammar = Grammar.FromJsonSchema(schema);
            Walk.Answer(grammar, vocabulary, random, (constraint, text) =>
            {
                if (random.Next(8) > 0 || text.Count > 200)
                {
                    return;
                }
                for (int token = 0; token < vocabulary.Size; token++)
                {
                    bool expected = token == Walk.End ? grammar.Accepts([.. text], out _)
                        : token != Walk.Special && StartsAnswer(grammar, [.. text, .. vocabulary.Bytes(token)]);
                    Assert.True(constraint.Allows(token) == expected, $"{schema}: token {token} after {Encoding.UTF8.GetString([.. text])}: expected {expected}");
                }
            });
        }
    }

    [Fact]
    public void IsComplete_OnlyWhereNothingCanFollow()
    {
        var whole = Grammar.FromJsonSchema("""{"type":"integer"}""").Begin(Walk.Bytes);
        whole.Accept(Walk.FirstByte + '1');
        Assert.True(whole.Allows(Walk.End) && !whole.IsComplete);
        var listed = Grammar.JsonObject.Begin(Walk.Bytes);
        listed.Accept(Walk.FirstByte + '{');
        Assert.True(!listed.Allows(Walk.End) && !listed.IsComplete);
        listed.Accept(Walk.FirstByte + '}');
        Assert.True(listed.IsComplete);
        Assert.Equal([Walk.End], listed.AllowedTokens(Walk.Bytes));
        listed.Accept(Walk.End);
        Assert.True(listed.IsComplete);
        Assert.Throws<ArgumentOutOfRangeException>(() => listed.Accept(Walk.FirstByte + ' '));
    }

    [Fact]
    public void Allowed_EndTokensWithBytes_AreNeverText()
    {
        var vocabulary = new TokenVocabulary(id => id == 0 ? "{"u8 : id == 1 ? "}"u8 : "{}"u8, 3, new HashSet<int> { 2 });
        var constraint = Grammar.JsonObject.Begin(vocabulary);
        Assert.Equal([0], constraint.AllowedTokens(vocabulary));
        constraint.Accept(0);
        Assert.Equal([1], constraint.AllowedTokens(vocabulary));
        constraint.Accept(1);
        Assert.Equal([2], constraint.AllowedTokens(vocabulary));
    }

    [Fact]
    public void Allowed_VocabularyThatCannotGoOn_IsEmpty()
    {
        var vocabulary = new TokenVocabulary(_ => "x"u8, 70, new HashSet<int> { 0 });
        Assert.Equal([0UL, 0UL], Grammar.JsonObject.Begin(vocabulary).Allowed().ToArray());
    }

    [Fact]
    public void Accept_AVeryLongAnswer_TakesBoundedMemory()
    {
        var grammar = Grammar.FromJsonSchema("""{"type":"array","minItems":400000,"items":{"type":"integer"}}""");
        var constraint = grammar.Begin(Walk.Bytes);
        constraint.Accept(Walk.FirstByte + '[');
        long first = 0, last = 0;
        for (int i = 1; i <= 120_000; i++) // every count of items is a state of its own
        {
            constraint.Accept(Walk.FirstByte + '1');
            constraint.Accept(Walk.FirstByte + ',');
            if (i % 40_000 == 0)
            {
                last = GC.GetTotalMemory(forceFullCollection: true);
                first = first == 0 ? last : first;
            }
        }
        GC.KeepAlive(grammar);
        Assert.True(last < first + (24 << 20), $"{first} bytes after 40,000 items, {last} after 120,000");
    }

    [Fact]
    public void JsonObject_NestsAtMost64Levels()
    {
        static string Nest(int levels) => string.Concat(Enumerable.Repeat("{\"a\":", levels - 1)) + "{}" + new string('}', levels - 1);
        Assert.True(Grammar.JsonObject.Accepts(Nest(64)));
        Assert.False(Grammar.JsonObject.Accepts(Nest(65)));
        Assert.True(Grammar.JsonObject.Accepts("{\"a\":" + new string('[', 63) + new string(']', 63) + "}"));
        using var parsed = JsonDocument.Parse(Nest(64)); // what a parser takes by default
    }

    [Fact]
    public void Whitespace_IsBounded()
    {
        Assert.True(Grammar.JsonObject.Accepts("{\n" + new string(' ', 15) + "}"));
        Assert.False(Grammar.JsonObject.Accepts("{\n" + new string(' ', 16) + "}"));
        Assert.False(Grammar.JsonObject.Accepts("{  }"));
        Assert.False(Grammar.JsonObject.Accepts("{\n\n}"));
    }

    [Fact]
    public void Begin_FromManyThreads_AgreesWithOne()
    {
        var vocabulary = Walk.Merged(600, seed: 8);
        string[] alone = Answers(Grammar.FromJsonSchema(Schemas.Mixed), 1)[0];
        string[][] together = Answers(Grammar.FromJsonSchema(Schemas.Mixed), 4);
        Assert.All(together, answers => Assert.Equal(alone, answers));

        string[][] Answers(Grammar grammar, int threads)
        {
            var results = new string[threads][];
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                var random = new Random(9);
                results[i] = [.. Enumerable.Range(0, 20).Select(_ => Walk.Answer(grammar, vocabulary, random))];
            });
            return results;
        }
    }

    [Fact]
    public void Allowed_OfStatesMetBefore_IsRemembered()
    {
        var vocabulary = Walk.Merged(8192, seed: 10);
        var grammar = Grammar.FromJsonSchema(Schemas.Mixed);
        byte[] answer = Encoding.UTF8.GetBytes("{\"title\":\"A story\",\"tags\":[\"ab\"],\"when\":\"2024-02-29\",\"score\":7.25,\"more\":{\"title\":\"x\",\"score\":1}}");
        Read();
        long least = long.MaxValue;
        for (int i = 0; i < 10; i++) // the runtime itself may allocate on this thread, now and then
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Read();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.InRange(least, 0, 8192 / 8); // less than one mask

        void Read()
        {
            var constraint = grammar.Begin(vocabulary);
            foreach (byte value in answer)
            {
                constraint.Allowed();
                constraint.Accept(Walk.FirstByte + value);
            }
            Assert.True(constraint.IsComplete);
        }
    }

    private static void CheckWalks(string schema, TokenVocabulary vocabulary, Random random, int trials)
    {
        var (grammar, validator) = (Grammar.FromJsonSchema(schema), new SchemaValidator(schema));
        for (int trial = 0; trial < trials; trial++)
        {
            string answer = Walk.Answer(grammar, vocabulary, random);
            Assert.True(validator.Error(answer) is null, $"{schema}\n{answer}\n{validator.Error(answer)}");
        }
    }

    private static bool StartsAnswer(Grammar grammar, ReadOnlySpan<byte> text)
    {
        grammar.Accepts(text, out int read);
        return read == text.Length;
    }
}
