using System.Collections.Concurrent;

namespace LatentMoE.Server.Tests.Load;

/// <summary>What the clients of a load have seen.</summary>
internal sealed class LoadTally
{
    public int Greedy, NearTies, Drawn, Left, HungUp, Refused;

    public ConcurrentQueue<string> Failures { get; } = new();

    public override string ToString() =>
        $"{Greedy} greedy answers, {NearTies} of them other than alone from a near tie on; {Drawn} drawn; {Left} left, {HungUp} hung up, {Refused} refused; {Failures.Count} failures";
}
