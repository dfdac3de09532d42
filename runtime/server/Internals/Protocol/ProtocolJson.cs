using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LatentMoE.Server.Internals.Protocol;

/// <summary>How answers are written: snake case, characters as they are rather than escaped (JSON is served, never put into HTML).</summary>
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(PieceList))]
[JsonSerializable(typeof(TokenPiece))]
[JsonSerializable(typeof(int[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(DecodedText))]
[JsonSerializable(typeof(ServerHealth))]
internal sealed partial class ProtocolJson : JsonSerializerContext
{
    public static ProtocolJson Instance { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
