namespace LatentMoE.Benchmarks;

/// <summary>One point that every engine is measured at.</summary>
/// <param name="Context">Tokens in the cache before the first step of decode; the tokens of a prefill.</param>
/// <param name="Batch">Rows.</param>
/// <param name="Steps">Runs of the session that one timing takes: a prefill is one.</param>
internal sealed record Case(string Phase, int Context, int Batch, int Steps)
{
    public const string Prefill = "prefill", Decode = "decode";

    /// <summary>Tokens of a row that one run of the session takes.</summary>
    public int Sequence => Phase == Prefill ? Context : 1;

    /// <summary>Tokens in the cache before the first run.</summary>
    public int Start => Phase == Prefill ? 0 : Context;

    public long Tokens => (long)Batch * Sequence * Steps;

    /// <summary>Columns that a query sees, on average over the tokens of a timing.</summary>
    public double MeanColumns => Start + (Sequence * Steps + 1) / 2.0;

    /// <summary>The prefill, then decode at every context with every batch.</summary>
    public static IReadOnlyList<Case> Expand(BenchOptions options) =>
    [
        .. options.Prefill.Select(tokens => new Case(Prefill, tokens, 1, 1)),
        .. options.Contexts.SelectMany(context => options.Batches.Select(batch => new Case(Decode, context, batch, options.Steps))),
    ];

    public override string ToString() => Phase == Prefill ? $"prefill {Context}" : $"decode at {Context}, batch {Batch}";
}
