using LatentMoE.Server.Internals.Answers;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LatentMoE.Server.Internals.Endpoints;

/// <summary><c>/tokenize</c> and <c>/detokenize</c>, in llama.cpp's words.</summary>
internal static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        routes.MapPost("/tokenize", context => AnswerAsync(context, fields => Tokenize(served, fields)));
        routes.MapPost("/detokenize", context => AnswerAsync(context, fields => Detokenize(served, fields)));
    }

    private static async Task AnswerAsync(HttpContext context, Func<JsonFields, object> answer)
    {
        using var body = await JsonBody.ReadAsync(context.Request, context.RequestAborted);
        await JsonAnswer.WriteAsync(context, answer(new JsonFields(body.RootElement)));
    }

    private static object Tokenize(ServedModel served, JsonFields fields)
    {
        string text = fields.Text("content") ?? fields.Text("prompt") ?? throw fields.Missing("content", "a string");
        int[] ids = fields.Flag("add_special") is true ? served.Model.EncodePrompt(text) : served.Model.Encode(text);
        var tokens = new TokenTexts(served.Model);
        return fields.Flag("with_pieces") is true ? new PieceList([.. ids.Select(tokens.Piece)]) : new TokenList(ids);
    }

    private static DecodedText Detokenize(ServedModel served, JsonFields fields)
    {
        int[] ids = fields.Ids("tokens") ?? throw fields.Missing("tokens", "a list of token ids");
        return ids.All(id => id < served.Model.VocabularySize) ? new DecodedText(served.Model.Decode(ids))
            : throw fields.Wrong("tokens", fields.Find("tokens")!.Value, $"token ids below {served.Model.VocabularySize}");
    }
}
