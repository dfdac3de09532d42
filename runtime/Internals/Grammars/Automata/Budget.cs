namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>The work that compiling one schema may take, so that a hostile schema is refused instead of filling memory.</summary>
internal sealed class Budget
{
    private const int MostStates = 50_000;
    private long _left = 4_000_000;

    /// <summary>The place in the schema that is being compiled, a JSON pointer.</summary>
    public string Where { get; set; } = "";

    public void Spend(long units)
    {
        _left -= units;
        if (_left < 0)
        {
            throw TooComplex("it needs too large a grammar");
        }
    }

    public void CheckStates(int count)
    {
        if (count > MostStates)
        {
            throw TooComplex($"a pattern, number range or length needs more than {MostStates} states");
        }
    }

    public ArgumentException TooComplex(string why) =>
        new($"The schema is too complex at '#{Where}': {why}. Use fewer alternatives, or smaller counts and simpler patterns.");
}
