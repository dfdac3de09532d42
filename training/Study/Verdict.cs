namespace LatentMoE.Training.Study;

/// <summary>What the measurements say of a claim.</summary>
public enum Ruling
{
    /// <summary>As claimed, under the claim's own conditions.</summary>
    Holds,

    /// <summary>As claimed, under the conditions named beside it.</summary>
    HoldsHere,

    /// <summary>Not as claimed, under the conditions named beside it.</summary>
    DoesNotHold,

    /// <summary>The interval of the measurement includes the claimed figure.</summary>
    NotResolved,

    /// <summary>What it would take is named beside it.</summary>
    NotTestable,
}

/// <summary>A claim of the paper's abstract beside what was measured.</summary>
/// <param name="Claim">What is claimed.</param>
/// <param name="Paper">The paper-reported figure.</param>
/// <param name="Measured">Ours, with its interval.</param>
/// <param name="Ruling">What follows.</param>
/// <param name="Conditions">Under which it was measured, or why it was not.</param>
public sealed record Verdict(string Claim, string Paper, string Measured, Ruling Ruling, string Conditions)
{
    public string RulingText => Ruling switch
    {
        Ruling.Holds => "holds",
        Ruling.HoldsHere => "holds under these conditions",
        Ruling.DoesNotHold => "does not hold",
        Ruling.NotResolved => "not resolved (the intervals overlap)",
        _ => "not testable here",
    };

    /// <summary>Rules on an effect that is claimed to be at least (or at most) some size.</summary>
    /// <param name="effect">Measured.</param>
    /// <param name="claimed">The claim.</param>
    /// <param name="atMost">Whether the claim bounds the effect from above.</param>
    /// <param name="ownConditions">Whether it was measured as the claim has it.</param>
    public static Ruling Rule(Interval effect, double claimed, bool atMost, bool ownConditions)
    {
        var (sure, never) = atMost ? (effect.High <= claimed, effect.Low > claimed) : (effect.Low >= claimed, effect.High < claimed);
        return effect.HalfWidth is null ? Ruling.NotResolved
            : sure ? (ownConditions ? Ruling.Holds : Ruling.HoldsHere)
            : never ? Ruling.DoesNotHold : Ruling.NotResolved;
    }
}
