namespace LatentMoE.Training.Data.Stories.Internals;

/// <summary>Who acts: a child ("girl", "boy") or a talking animal ("rabbit").</summary>
internal sealed record Character(string Name, string Kind, bool Female);
