using System.Globalization;
using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Json;

/// <summary>A number of a schema as decimal digits, exactly: no leading zeros but a single one, no trailing zeros behind the point.</summary>
internal sealed record DecimalText(bool IsNegative, string Whole, string Fraction)
{
    private const int MostDigits = 60;

    public bool IsWhole => Fraction.Length == 0;

    public bool IsZero => IsWhole && Whole == "0";

    /// <summary>From JSON's text; null where it has more digits than are compared.</summary>
    public static DecimalText? Parse(string text)
    {
        string[] parts = text.ToLowerInvariant().Split('e');
        string[] digits = parts[0].TrimStart('-').Split('.');
        string all = digits[0] + (digits.Length > 1 ? digits[1] : "");
        if (parts[0].Length > MostDigits || !int.TryParse(parts.Length > 1 ? parts[1] : "0", NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent)
            || Math.Abs((long)exponent) > MostDigits)
        {
            return null;
        }
        int point = digits[0].Length + exponent;
        all = new string('0', Math.Max(-point, 0)) + all.PadRight(Math.Max(point, all.Length), '0');
        point = Math.Max(point, 0);
        string whole = all[..point].TrimStart('0'), fraction = all[point..].TrimEnd('0');
        bool zero = whole.Length + fraction.Length == 0;
        return new DecimalText(text[0] == '-' && !zero, whole.Length == 0 ? "0" : whole, fraction);
    }

    public override string ToString() => (IsNegative ? "-" : "") + Whole + (IsWhole ? "" : "." + Fraction);

    /// <summary>The plain decimal numbers (no exponent) on one side of this one.</summary>
    public Dfa? Beyond(bool above, bool orEqual, Budget budget) => Dfa.Build(new Reading(), ByteClasses.OfBytes("0123456789-."u8),
        (state, value) => Read(state, value), state => state.Phase is Phase.Whole or Phase.Fraction && Compare(state) is var side && (side == 0 ? orEqual : side > 0 == above), budget);

    /// <summary>The plain decimal numbers that are multiples of this one, which is positive.</summary>
    public Dfa? Multiples(Budget budget)
    {
        string digits = (Whole + Fraction).TrimStart('0');
        int places = Fraction.Length;
        if (digits.Length > 6)
        {
            throw budget.TooComplex($"multipleOf {this} has more than six digits");
        }
        int unit = int.Parse(digits, CultureInfo.InvariantCulture);
        int Shift(int rest, int by) => by == 0 ? rest : Shift(rest * 10 % unit, by - 1);
        return Dfa.Build(new Remainder(Phase.Begin, 0, 0), ByteClasses.OfBytes("0123456789-."u8), (s, value) => value switch
        {
            (byte)'-' when s.At == Phase.Begin => (true, new Remainder(Phase.Sign, 0, 0)),
            (byte)'.' when s.At == Phase.Whole => (true, new Remainder(Phase.Point, s.Over, 0)),
            >= (byte)'0' and <= (byte)'9' when s.At <= Phase.Whole => (true, new Remainder(Phase.Whole, (int)(((s.Over * 10L) + value - '0') % unit), 0)),
            >= (byte)'0' and <= (byte)'9' when s.Behind < places => (true, new Remainder(Phase.Fraction, (int)(((s.Over * 10L) + value - '0') % unit), s.Behind + 1)),
            (byte)'0' when s.At >= Phase.Point => (true, new Remainder(Phase.Fraction, s.Over, s.Behind)),
            _ => default,
        }, s => s.At is Phase.Whole or Phase.Fraction && Shift(s.Over, places - s.Behind) == 0, budget);
    }

    private (bool Ok, Reading Next) Read(Reading state, byte value)
    {
        if (value == '-')
        {
            return (state.Phase == Phase.Begin, new Reading(Phase.Sign, Minus: true));
        }
        if (value == '.')
        {
            return (state.Phase == Phase.Whole, state with { Phase = Phase.Point, Count = 0, Side = WholeSide(state) });
        }
        if (!char.IsAsciiDigit((char)value))
        {
            return default;
        }
        bool behind = state.Phase >= Phase.Point;
        string digits = behind ? Fraction : Whole;
        int side = state.Side != 0 ? state.Side : state.Count < digits.Length ? value.CompareTo((byte)digits[state.Count])
            : behind && value > '0' ? 1 : 0;
        return (true, new Reading(behind ? Phase.Fraction : Phase.Whole, state.Minus, Math.Min(state.Count + 1, digits.Length + 1), Math.Sign(side), state.NotZero || value > '0'));
    }

    // How the digits before the point compare: more digits are more.
    private int WholeSide(Reading state) => state.Count == Whole.Length ? state.Side : state.Count.CompareTo(Whole.Length);

    private int Compare(Reading state)
    {
        int side = state.Phase == Phase.Whole ? WholeSide(state) : state.Side;
        int read = state.Phase == Phase.Whole ? 0 : state.Count;
        side = side == 0 && read < Fraction.Length ? -1 : Math.Sign(side);
        bool minus = state.Minus && state.NotZero;
        return minus != IsNegative ? (minus ? -1 : 1) : minus ? -side : side;
    }

    private enum Phase
    {
        Begin,
        Sign,
        Whole,
        Point,
        Fraction,
    }

    // How the digits so far compare with this number's, as many of them as there were.
    private readonly record struct Reading(Phase Phase, bool Minus = false, int Count = 0, int Side = 0, bool NotZero = false);

    // What the digits so far leave over, and how many of them stand behind the point.
    private readonly record struct Remainder(Phase At, int Over, int Behind);
}
