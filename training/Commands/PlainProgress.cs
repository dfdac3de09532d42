using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary>Progress messages as lines, at once and in order (which <see cref="Progress{T}"/> does not promise).</summary>
internal sealed class PlainProgress(IAnsiConsole console) : IProgress<string>
{
    public void Report(string value) => console.WriteLine(value);
}
