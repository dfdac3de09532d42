namespace LatentMoE.Runtime.Tests;

[Collection(nameof(TestPackages))]
public class GenerationOptionsTests
{
    public static TheoryData<string, GenerationOptions> Wrong { get; } = new()
    {
        { "MaxNewTokens is 0; expected at least 1", new() { MaxNewTokens = 0 } },
        { "Temperature is -0.1; expected 0", new() { Temperature = -0.1f } },
        { "Temperature is NaN", new() { Temperature = float.NaN } },
        { "TopK is -1", new() { TopK = -1 } },
        { "TopP is 0; expected more than 0", new() { TopP = 0 } },
        { "TopP is 1.5", new() { TopP = 1.5f } },
        { "MinP is 2", new() { MinP = 2 } },
        { "RepetitionPenalty is 0", new() { RepetitionPenalty = 0 } },
        { "StopStrings", new() { StopStrings = ["a", ""] } },
        { "TypicalP is 0; expected more than 0", new() { TypicalP = 0 } },
        { "TypicalP is NaN", new() { TypicalP = float.NaN } },
        { "PresencePenalty is NaN; expected a finite number", new() { PresencePenalty = float.NaN } },
        { "FrequencyPenalty is Infinity", new() { FrequencyPenalty = float.PositiveInfinity } },
        { "LogitBias is null", new() { LogitBias = null! } },
        { "LogitBias[17] is NaN; expected a finite number, or −∞", new() { LogitBias = new Dictionary<int, float> { [3] = 1, [17] = float.NaN } } },
        { "LogitBias[17] is Infinity", new() { LogitBias = new Dictionary<int, float> { [17] = float.PositiveInfinity } } },
        { "Logprobs is 21; expected null (off) or 0 to 20", new() { Logprobs = 21 } },
        { "Logprobs is -1", new() { Logprobs = -1 } },
        { "StopTokens is null", new() { StopTokens = null! } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Validate_NamesValueAndRange(string told, GenerationOptions options)
    {
        var error = Assert.Throws<ArgumentException>(options.Validate);
        Assert.StartsWith(told, error.Message);
    }

    [Fact]
    public void Validate_DefaultsAndLimits_Pass()
    {
        new GenerationOptions().Validate();
        GenerationOptions.Greedy.Validate();
        new GenerationOptions { MaxNewTokens = 1, Temperature = 100, TopK = int.MaxValue, TopP = 1, MinP = 1, RepetitionPenalty = 0.5f, StopStrings = ["x"] }.Validate();
        new GenerationOptions
        {
            TypicalP = 1e-3f, PresencePenalty = -9, FrequencyPenalty = 9, Logprobs = 20, StopTokens = [0, 9],
            LogitBias = new Dictionary<int, float> { [0] = float.NegativeInfinity, [9] = 1000 },
        }.Validate(10);
    }

    public static TheoryData<string, GenerationOptions> WrongTokens { get; } = new()
    {
        { "A token of LogitBias is 300; expected an id from 0 to 299", new() { LogitBias = new Dictionary<int, float> { [299] = 1, [300] = 1 } } },
        { "A token of LogitBias is -1", new() { LogitBias = new Dictionary<int, float> { [-1] = 1 } } },
        { "A token of StopTokens is 300; expected an id from 0 to 299", new() { StopTokens = [0, 300] } },
        { "A token of StopTokens is -5", new() { StopTokens = [-5] } },
        { "TopK is -1", new() { TopK = -1 } },
    };

    [Theory]
    [MemberData(nameof(WrongTokens))]
    public void Validate_Vocabulary_NamesTheTokenOutsideIt(string told, GenerationOptions options)
    {
        Assert.StartsWith(told, Assert.Throws<ArgumentException>(() => options.Validate(300)).Message);
    }

    [Fact]
    public void Load_WrongOptions_NameValueAndRange()
    {
        Assert.StartsWith("Threads is 0; expected", Assert.Throws<ArgumentException>(() => TestPackages.Load("LatentMoE", new() { Threads = 0 })).Message);
        Assert.StartsWith("PrefillChunk is 0", Assert.Throws<ArgumentException>(() => TestPackages.Load("LatentMoE", new() { PrefillChunk = 0 })).Message);
        Assert.StartsWith("ContextLength is 1", Assert.Throws<ArgumentException>(() => TestPackages.Load("LatentMoE", new() { ContextLength = 1 })).Message);
        Assert.StartsWith("MaxConcurrency is 0", Assert.Throws<ArgumentException>(() => TestPackages.Load("LatentMoE", new() { MaxConcurrency = 0 })).Message);
    }
}
