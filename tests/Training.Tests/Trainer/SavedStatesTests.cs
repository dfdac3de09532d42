using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

public sealed class SavedStatesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("latentmoe-states-").FullName;

    private SavedStates States => new(_folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Save(params int[] steps)
    {
        foreach (int step in steps)
        {
            States.Save(step, path => AtomicFile.WriteText(path, $"{step}"));
        }
    }

    private static string Read(string path) => File.ReadAllText(path) is var text && text != "bad" ? text : throw new CheckpointException($"{path}: is bad.");

    private IEnumerable<string> Names => States.NewestFirst.Select(p => Path.GetFileName(p)!);

    [Fact]
    public void Save_KeepsTheNewestThree()
    {
        Save(5, 10, 15, 20, 100_000_000);
        Assert.Equal(["step-100000000.safetensors", "step-00000020.safetensors", "step-00000015.safetensors"], Names);
    }

    [Fact]
    public void Save_WhatCannotBeWrittenCostsNoOtherState()
    {
        Save(5, 10, 15);
        Assert.Throws<CheckpointException>(() => States.Save(20, path => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[1 << 21]);
            throw new IOException("No space left on device");
        })));
        Assert.Equal(["step-00000015.safetensors", "step-00000010.safetensors", "step-00000005.safetensors"], Names);
        Assert.Equal(3, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void Save_AfterGoingBackRemovesLaterStates()
    {
        Save(5, 10, 15);
        File.WriteAllText(States.PathOf(15), "bad");
        Save(12);
        Assert.Equal(["step-00000012.safetensors", "step-00000010.safetensors", "step-00000005.safetensors"], Names);
    }

    [Fact]
    public void LoadNewest_PassesOverWhatIsBad()
    {
        Save(5, 10, 15);
        var said = new List<string>();
        Assert.Equal("15", States.LoadNewest(Read, said.Add));
        Assert.Empty(said);
        File.WriteAllText(States.PathOf(15), "bad");
        File.WriteAllText(States.PathOf(10), "bad");
        Assert.Equal("5", States.LoadNewest(Read, said.Add));
        Assert.Equal($"{States.PathOf(15)}: is bad. Going on from step-00000005.safetensors, the state before it.", Assert.Single(said));
        File.WriteAllText(States.PathOf(5), "bad");
        Assert.Contains("no saved state is whole", Assert.Throws<CheckpointException>(() => States.LoadNewest(Read, said.Add)).Message);
    }

    [Fact]
    public void NewestFirst_TheStateOfEarlierVersionsIsTheOldest()
    {
        File.WriteAllText(Path.Combine(_folder, "state.safetensors"), "former");
        File.WriteAllText(Path.Combine(_folder, "recipe.json"), "{}");
        File.WriteAllText(Path.Combine(_folder, "step-x.safetensors"), "not ours");
        Assert.Equal("former", States.LoadNewest(Read, _ => { }));
        Save(0, 1);
        Assert.Equal(["step-00000001.safetensors", "step-00000000.safetensors", "state.safetensors"], Names);
        Save(2);
        Assert.DoesNotContain("state.safetensors", Names);
    }
}
