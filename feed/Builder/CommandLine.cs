namespace LatentMoE.Feed;

/// <param name="Root">The repository's root folder.</param>
/// <param name="Cuda">Package ONNX Runtime's CUDA provider although no driver is present.</param>
/// <param name="Feed">Families of feed/packages.json, with commas, or "all": the feed builds them although a source may carry them.</param>
/// <param name="Solution">A solution to restore once the feed is there; null for the feed alone.</param>
internal sealed record CommandLine(string Root, bool Cuda, string? Solution, string Feed = "")
{
    private const string Usage = "usage: LatentMoE.Feed.Builder [--root=FOLDER] [--solution=FILE] [--cuda] [--feed=all|FAMILY,...]";

    public static CommandLine Parse(IEnumerable<string> arguments)
    {
        string root = Directory.GetCurrentDirectory();
        string? solution = null;
        string feed = "";
        bool cuda = false;
        foreach (string argument in arguments)
        {
            if (argument.StartsWith("--root=", StringComparison.Ordinal))
                root = argument["--root=".Length..];
            else if (argument.StartsWith("--solution=", StringComparison.Ordinal))
                solution = argument["--solution=".Length..];
            else if (argument.StartsWith("--feed=", StringComparison.Ordinal))
                feed = argument["--feed=".Length..];
            else if (argument == "--cuda")
                cuda = true;
            else
                throw new FeedException($"unknown argument '{argument}'; {Usage}");
        }
        root = Path.GetFullPath(root);
        if (!File.Exists(new FeedPaths(root).Recipe))
            throw new FeedException($"{root} is not the repository's root: it has no feed/packages.json; {Usage}");
        return new CommandLine(root, cuda, solution, feed);
    }
}
