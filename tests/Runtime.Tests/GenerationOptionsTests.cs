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
