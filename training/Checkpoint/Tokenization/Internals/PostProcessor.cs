using System.Text.Json;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>The ids that <c>post_processor</c> puts before and after a text.</summary>
internal sealed record PostProcessor(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    private static readonly PostProcessor None = new([], []);

    /// <param name="vocabulary">Ids are smaller than this.</param>
    public static PostProcessor Read(JsonPlace place, int vocabulary)
    {
        if (place.IsNull)
        {
            return None;
        }
        return place.Type switch
        {
            "ByteLevel" => None, // It concerns offsets only.
            "TemplateProcessing" => Template(place, vocabulary),
            "Sequence" => place.Items("processors").Select(part => Read(part, vocabulary)).Aggregate(None,
                (inner, outer) => new PostProcessor([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])),
            _ => throw place.Unsupported("supported are null, ByteLevel, TemplateProcessing and Sequences of them"),
        };
    }

    private static PostProcessor Template(JsonPlace place, int vocabulary)
    {
        List<int> before = [], after = [];
        bool text = false;
        foreach (JsonPlace part in place.Items("single"))
        {
            if (!part["Sequence"].IsNull && !text)
            {
                text = true;
                continue;
            }
            JsonPlace ids = place["special_tokens"][part["SpecialToken"].Text("id")];
            foreach (JsonPlace id in ids.Items("ids"))
            {
                bool known = id.Value.ValueKind == JsonValueKind.Number && id.Value.TryGetInt32(out int value) && value >= 0 && value < vocabulary;
                (text ? after : before).Add(known ? id.Value.GetInt32() : throw id.Unsupported($"expected an id from 0 to {vocabulary - 1}"));
            }
        }
        return text ? new PostProcessor(before, after) : throw place["single"].Unsupported("expected the text (\"Sequence\") among the parts");
    }
}
