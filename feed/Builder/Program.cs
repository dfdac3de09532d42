using System.ComponentModel;
using LatentMoE.Feed;

try
{
    new FeedRestore(CommandLine.Parse(args)).Run();
    return 0;
}
catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException or Win32Exception)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
