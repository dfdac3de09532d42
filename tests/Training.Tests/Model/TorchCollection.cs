namespace LatentMoE.Training.Tests.Model;

/// <summary>Tests that draw from torch's one random generator run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "torch";
}
