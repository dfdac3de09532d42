namespace LatentMoE.Pipeline.Tests;

/// <summary>The npm packages of the Node consumers, installed once from the lock file, without running install scripts.</summary>
internal static class NodeModules
{
    private static readonly Lazy<bool> Installed = new(InstallOnce);

    public static Outcome Run(string script, string[] arguments, string? input = null)
    {
        _ = Installed.Value;
        return Command.Run("node", [Path.Combine(Repository.NodeConsumers, script), .. arguments], input, Repository.NodeConsumers).Succeeded();
    }

    /// <summary>Installs the packages, where they are not there, for who reads their files.</summary>
    public static void Install() => _ = Installed.Value;

    private static bool InstallOnce()
    {
        string wanted = Path.Combine(Repository.NodeConsumers, "package-lock.json");
        string stamp = Path.Combine(Repository.NodeConsumers, "node_modules", ".installed-lock.json");
        if (!File.Exists(stamp) || File.ReadAllText(stamp) != File.ReadAllText(wanted))
        {
            Command.Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder: Repository.NodeConsumers).Succeeded();
            File.Copy(wanted, stamp, overwrite: true);
        }
        return true;
    }
}
