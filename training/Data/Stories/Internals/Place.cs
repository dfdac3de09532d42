namespace LatentMoE.Training.Data.Stories.Internals;

/// <summary>Somewhere to go. Spots are where a thing can lie ("under the slide"), sights what can be seen ("ducks on the pond").</summary>
internal sealed record Place(string Name, string Preposition, string[] Spots, string[] Sights);
