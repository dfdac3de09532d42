using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Cli;

/// <summary>Results as one JSON object on one line, with names in snake case.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value of an enumeration as the JSON form spells it.</summary>
    public static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static void Print(JsonObject result) => Console.Out.WriteLine(result.ToJsonString(Format));
}
