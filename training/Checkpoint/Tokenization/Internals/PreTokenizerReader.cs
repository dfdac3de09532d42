using System.Text.RegularExpressions;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>Reads <c>pre_tokenizer</c>: ByteLevel, alone or at the end of a Sequence of Split and Digits.</summary>
internal static class PreTokenizerReader
{
    private const string Supported = "supported are ByteLevel, and a Sequence of Split and Digits that ends with ByteLevel";

    public static PreTokenizerSteps Read(JsonPlace place)
    {
        JsonPlace[] parts = [.. Flatten(place)];
        if (parts.Length == 0 || parts[^1].Type != "ByteLevel")
        {
            throw (parts.Length == 0 ? place : parts[^1]).Unsupported(Supported);
        }
        JsonPlace last = parts[^1];
        return new PreTokenizerSteps([.. parts[..^1].Select(Split)], last.Flag("add_prefix_space", absent: true), last.Flag("use_regex", absent: true));
    }

    private static IEnumerable<JsonPlace> Flatten(JsonPlace place) =>
        place.Type == "Sequence" ? place.Items("pretokenizers").SelectMany(Flatten) : [place];

    private static SplitStep Split(JsonPlace place)
    {
        switch (place.Type)
        {
            case "Digits":
                return new SplitStep($"{place.File}: {place.Key}", new SplitPattern("\\p{N}"),
                    place.Flag("individual_digits", absent: false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous, Invert: false);
            case "Split":
                JsonPlace pattern = place["pattern"];
                bool literal = pattern["Regex"].IsNull;
                string text = literal ? pattern.Text("String") : pattern.Text("Regex");
                if (!Enum.TryParse(place.Text("behavior"), out SplitBehavior behavior) || !Enum.IsDefined(behavior))
                {
                    throw place["behavior"].Unsupported($"supported are {string.Join(", ", Enum.GetNames<SplitBehavior>())}");
                }
                try
                {
                    var compiled = new SplitPattern(literal ? Escape(text) : text);
                    return new SplitStep($"{place.File}: {pattern.Key}", compiled, behavior, place.Flag("invert", absent: false));
                }
                catch (FormatException e)
                {
                    throw pattern[literal ? "String" : "Regex"].Unsupported($"the pattern cannot be used: {e.Message}");
                }
            default:
                throw place.Unsupported(Supported);
        }
    }

    private static string Escape(string text) => Regex.Replace(text, @"[\p{P}\p{S}]", match => char.IsAscii(match.Value[0]) ? "\\" + match.Value : match.Value);
}
