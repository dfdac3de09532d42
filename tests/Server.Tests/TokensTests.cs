using System.Text;
using System.Text.Json;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class TokensTests
{
    [Theory]
    [InlineData("the end")]
    [InlineData("é 😀\n<|endoftext|>")]
    public async Task Tokenize_ThenDetokenize_GivesTheTextBack(string text)
    {
        var server = await TestServer.SharedAsync();
        int[] ids = await Tokenize(server, new { content = text });
        Assert.Equal(TestPackage.Model.Encode(text), ids);
        Assert.Equal(ids, await Tokenize(server, new { prompt = text }));
        Assert.Equal(TestPackage.Model.EncodePrompt(text), await Tokenize(server, new { content = text, add_special = true }));
        var back = await server.PostAsync("/detokenize", JsonSerializer.Serialize(new { tokens = ids }));
        Assert.Equal(text.Replace(TestPackage.EndOfText, "", StringComparison.Ordinal), back.GetProperty("content").GetString());
    }

    [Fact]
    public async Task Tokenize_WithPieces_ShowsTextsAndBytes()
    {
        var server = await TestServer.SharedAsync();
        var answer = await server.PostAsync("/tokenize", JsonSerializer.Serialize(new { content = " the é" + TestPackage.EndOfText, with_pieces = true }));
        var bytes = new List<byte>();
        foreach (var piece in answer.GetProperty("tokens").EnumerateArray().Select(token => token.GetProperty("piece")))
        {
            bytes.AddRange(piece.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(piece.GetString()!) : piece.Deserialize<int[]>()!.Select(b => (byte)b));
        }
        Assert.Equal(" the é" + TestPackage.EndOfText, Encoding.UTF8.GetString([.. bytes]));
        Assert.Contains(answer.GetProperty("tokens").EnumerateArray(), token => token.GetProperty("piece").ValueKind == JsonValueKind.Array);
    }

    [Fact]
    public async Task Models_TellContextAndExperts()
    {
        var server = await TestServer.SharedAsync();
        var list = await server.GetAsync("/v1/models");
        var model = Assert.Single(list.GetProperty("data").EnumerateArray());
        Assert.Equal(TestPackage.Context, model.GetProperty("max_model_len").GetInt32());
        Assert.Equal(8, model.GetProperty("routed_experts").GetProperty("experts").GetInt32());
        Assert.Equal(3, model.GetProperty("routed_experts").GetProperty("top_k").GetInt32());
        Assert.Equal(model.GetRawText(), (await server.GetAsync("/v1/models/story")).GetRawText());
    }

    [Fact]
    public async Task ModelName_MayHoldASlash()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { ModelName = "me/story" });
        Assert.Equal("me/story", (await server.GetAsync("/v1/models/me/story")).GetProperty("id").GetString());
        Assert.Equal("me/story", (await server.GetAsync("/v1/models/me%2Fstory")).GetProperty("id").GetString());
        var answer = await server.PostAsync("/v1/completions", """{"model":"me/story","prompt":"a","max_tokens":1}""");
        Assert.Equal("me/story", answer.GetProperty("model").GetString());
    }

    private static async Task<int[]> Tokenize(TestServer server, object request) =>
        (await server.PostAsync("/tokenize", JsonSerializer.Serialize(request))).GetProperty("tokens").Deserialize<int[]>()!;
}
