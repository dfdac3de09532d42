namespace LatentMoE.Server.Tests;

/// <summary>The tests that use the package: one after the other, so that they do not disturb each other's times, and clean afterwards.</summary>
[CollectionDefinition(nameof(TestPackage))]
public sealed class PackageCollection : ICollectionFixture<PackageCollection.Cleanup>
{
    public sealed class Cleanup : IAsyncLifetime
    {
        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync()
        {
            await TestServer.RemoveSharedAsync();
            TestPackage.Remove();
        }
    }
}
