using System.CommandLine.Parsing;
using System.Globalization;

namespace LatentMoE.Cli;

/// <summary>Amounts of memory on the command line: bytes, or with K, M or G for powers of 1024.</summary>
internal static class ByteSize
{
    private const string Units = "KMG";

    /// <summary>The amount that an option was given; adds an error to the result where it is none.</summary>
    public static long? Parse(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        int unit = Units.IndexOf(text[^1..], StringComparison.OrdinalIgnoreCase);
        string digits = unit < 0 ? text : text[..^1];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= long.MaxValue >> (10 * (unit + 1)))
        {
            return number << (10 * (unit + 1));
        }
        result.AddError($"{result.Argument.Name}: '{text}' is no amount of memory; expected bytes, or a number with K, M or G, e.g. 512M.");
        return null;
    }
}
