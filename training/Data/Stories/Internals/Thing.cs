namespace LatentMoE.Training.Data.Stories.Internals;

/// <summary>Something to own, lose, share or wish for. Uses are what one does with it: "roll it", "rolled it", "rolling it".</summary>
internal sealed record Thing(string Noun, string[] Adjectives, (string Do, string Did, string Doing)[] Uses);
