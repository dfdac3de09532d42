using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>The Unicode normalisations of <c>normalizer</c>, one after the other. None for most byte-level tokenizers.</summary>
internal sealed class TextNormalizer
{
    private const string Supported = "supported are null, NFC, NFD, NFKC, NFKD and Sequences of them";

    private readonly NormalizationForm[] _forms;

    private TextNormalizer(NormalizationForm[] forms) => _forms = forms;

    public bool IsNone => _forms.Length == 0;

    public static TextNormalizer Read(JsonPlace place) => new([.. Forms(place)]);

    /// <param name="text">Without lone surrogates.</param>
    public string Apply(string text) => _forms.Aggregate(text, (normal, form) => normal.Normalize(form));

    private static IEnumerable<NormalizationForm> Forms(JsonPlace place)
    {
        if (place.IsNull)
        {
            return [];
        }
        return place.Type switch
        {
            "Sequence" => place.Items("normalizers").SelectMany(Forms),
            "NFC" => [Available(NormalizationForm.FormC, place)],
            "NFD" => [Available(NormalizationForm.FormD, place)],
            "NFKC" => [Available(NormalizationForm.FormKC, place)],
            "NFKD" => [Available(NormalizationForm.FormKD, place)],
            _ => throw place.Unsupported(Supported),
        };
    }

    // With invariant globalisation .NET leaves every text as it is, which would give other ids without a word.
    private static NormalizationForm Available(NormalizationForm form, JsonPlace place) => "\u00e9".Normalize(NormalizationForm.FormD).Length == 2 ? form
        : throw place.Unsupported("this process runs without Unicode's normalisation tables (InvariantGlobalization); run it with ICU and DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0");
}
