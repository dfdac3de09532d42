namespace LatentMoE.Runtime.Internals.Jinja;

/// <summary>Python's operators between values: whole numbers of 64 bits, floating-point numbers, strings and lists.</summary>
internal static class Arithmetic
{
    /// <exception cref="JinjaException">The operator does not fit the values, or the result does not fit a number.</exception>
    public static object? Combine(string sign, object? left, object? right, Budget budget)
    {
        if (sign == "~")
        {
            return PythonText.Print(left, budget) + PythonText.Print(right, budget);
        }
        if (Values.TryInteger(left, out long i) && Values.TryInteger(right, out long j) && sign != "/")
        {
            try
            {
                return Whole(sign, i, j);
            }
            catch (OverflowException)
            {
                throw new JinjaException($"{i} {sign} {j} does not fit 64 bits");
            }
        }
        if (Values.TryNumber(left, out double x) && Values.TryNumber(right, out double y))
        {
            return Real(sign, x, y);
        }
        return (sign, left, right) switch
        {
            ("+", string a, string b) => Join(a, b, budget),
            ("+", List<object?> a, List<object?> b) => Join(a, b, budget),
            ("+", object?[] a, object?[] b) => Join([.. a], [.. b], budget).ToArray(),
            ("*", string or List<object?>, _) when Values.TryInteger(right, out long times) => Repeat(left, times, budget),
            ("*", _, string or List<object?>) when Values.TryInteger(left, out long times) => Repeat(right, times, budget),
            ("%", string, _) => throw new JinjaException("formatting a string with % is not supported; join its parts with ~"),
            _ => throw new JinjaException($"'{sign}' is not defined between {Values.TypeName(left)} and {Values.TypeName(right)}"),
        };
    }

    private static object Whole(string sign, long i, long j) => sign switch
    {
        "**" when j < 0 => (object)Math.Pow(i, j), // the cast keeps whole numbers whole
        "**" => Power(i, j),
        "+" => checked(i + j),
        "-" => checked(i - j),
        "*" => checked(i * j),
        _ when j == 0 => throw new JinjaException("division by zero"),
        "//" => checked((i / j) - (i % j != 0 && (i < 0) != (j < 0) ? 1 : 0)),
        _ => j == -1 ? 0L : ((i % j) + j) % j,
    };

    private static long Power(long number, long exponent)
    {
        if (exponent > 62 && number is < -1 or > 1)
        {
            throw new OverflowException();
        }
        long result = 1;
        for (long left = exponent > 62 ? exponent % 2 + 2 : exponent; left > 0; left--)
        {
            result = checked(result * number);
        }
        return result;
    }

    private static object Real(string sign, double x, double y) => sign switch
    {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "**" => Math.Pow(x, y),
        _ when y == 0 => throw new JinjaException("division by zero"),
        "/" => x / y,
        "//" => Math.Floor(x / y),
        _ => x - (y * Math.Floor(x / y)),
    };

    private static string Join(string left, string right, Budget budget)
    {
        budget.Spend(left.Length + right.Length);
        return left + right;
    }

    private static List<object?> Join(List<object?> left, List<object?> right, Budget budget)
    {
        budget.Spend(left.Count + right.Count);
        return [.. left, .. right];
    }

    private static object Repeat(object? value, long times, Budget budget)
    {
        times = Math.Clamp(times, 0, int.MaxValue);
        budget.Spend(Math.Max(1, Values.Length(value, budget)) * times * 2);
        return value is string text ? string.Concat(Enumerable.Repeat(text, (int)times))
            : Enumerable.Repeat((List<object?>)value!, (int)times).SelectMany(items => items).ToList();
    }
}
