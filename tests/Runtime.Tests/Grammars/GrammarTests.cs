using System.Text;

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
    [InlineData(2000)]
    public void Walks_AnswersAreValid(int merged)
    {
        var vocabulary = merged == 0 ? Walk.Bytes : Walk.Merged(merged, seed: 1);
        var random = new Random(2);
        foreach (string schema in Schemas.Validated)
        {
            var (grammar, validator) = (Grammar.FromJsonSchema(schema), new SchemaValidator(schema));
            for (int trial = 0; trial < 12; trial++)
            {
                string answer = Walk.Answer(grammar, vocabulary, random);
                Assert.True(validator.Error(answer) is null, $"{schema}\n{answer}\n{validator.Error(answer)}");
            }
        }
    }
}
