// The tests of the library run one after another: its random generator and its thread count are the process's.
namespace LatentMoE.Feed.Tests.Torch;

[CollectionDefinition(Name)]
public class TorchCollection
{
    public const string Name = "torch";
}
