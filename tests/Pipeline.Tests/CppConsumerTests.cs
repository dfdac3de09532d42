using System.Text.Json;

namespace LatentMoE.Pipeline.Tests;

/// <summary>What the C++ consumer says of input that it cannot use, and that the library which it registers is the one that runs.</summary>
[Collection(nameof(SmallPackage))]
public sealed class CppConsumerTests(SmallPackage small)
{
    [Theory]
    [InlineData("token id 1000000 is not in the vocabulary, expected less than", "PACKAGE", "1000000")]
    [InlineData("a token id is '-1', expected a whole number from 0 to", "PACKAGE", "-1")]
    [InlineData("a token id is '7x', expected a whole number", "PACKAGE", "7x")]
    [InlineData("--tokens is '99999999999999999999', expected a whole number from 1 to 1048576", "--tokens", "99999999999999999999", "PACKAGE", "1")]
    [InlineData("--end has no value", "PACKAGE", "1", "--end")]
    [InlineData("'--fast yes' is not understood", "--fast", "yes", "PACKAGE", "1")]
    [InlineData("expected generate [--library FILE]", "PACKAGE")]
    [InlineData("/no/such/folder/model.onnx failed", "/no/such/folder", "1")]
    [InlineData("/no/such/library.so", "--library", "/no/such/library.so", "PACKAGE", "1")]
    // One token more than the model has positions.
    [InlineData("out of data bounds", "--tokens", "4096", "PACKAGE", "1")]
    public void BadInput_IsOneClearError(string expected, params string[] arguments)
    {
        var outcome = CppConsumer.Run([.. arguments.Select(argument => argument == "PACKAGE" ? small.Package : argument)]);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal("", outcome.Output);
        Assert.StartsWith("generate: ", outcome.Error);
        Assert.Contains(expected, outcome.Error);
    }

    [Fact]
    public void End_StopsAfterIt()
    {
        int[] whole = Tokens("--tokens", "8");
        Assert.Equal(8, whole.Length);
        int end = whole[4];
        Assert.Equal(whole[..(Array.IndexOf(whole, end) + 1)], Tokens("--tokens", "8", "--end", $"{end}"));
    }

    [Fact]
    public void Library_ReadsTheSessionsSettings()
    {
        string[] unknown = ["--session", "latentmoe.isa=abacus", "--tokens", "2", small.Package, "1"];
        Assert.Equal(0, CppConsumer.Run(unknown).ExitCode);
        var outcome = CppConsumer.Run(["--library", Repository.OperatorLibrary, .. unknown]);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("latentmoe.isa is 'abacus', and this machine has", outcome.Error);
    }

    private int[] Tokens(params string[] options)
    {
        string[] ids = [.. Consumer.Ids(small.Package, "Once upon a time")];
        var answer = JsonDocument.Parse(CppConsumer.Run([.. options, small.Package, .. ids]).Succeeded().LastLine);
        return [.. answer.RootElement.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
    }
}
