namespace LatentMoE.Runtime.Tests;

/// <summary>The tests that use packages: one after the other, so that their threads do not disturb each other, and clean afterwards.</summary>
[CollectionDefinition(nameof(TestPackages))]
public sealed class PackageCollection : ICollectionFixture<PackageCollection.Cleanup>
{
    public sealed class Cleanup : IDisposable
    {
        public void Dispose() => TestPackages.Remove();
    }
}
