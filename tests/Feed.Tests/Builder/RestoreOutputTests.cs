namespace LatentMoE.Feed.Tests.Builder;

public sealed class RestoreOutputTests
{
    private const string NoSuchId = "/x/probe/Alpha/Probe.Alpha.csproj : error NU1101: Unable to find package Some.Id. "
        + "No packages exist with this id in source(s): main [/x/probe/probe.slnx]";

    private const string NoSuchVersion = "/x/probe/Beta/Probe.Beta.csproj : error NU1102: \n"
        + "/x/probe/Beta/Probe.Beta.csproj : error NU1102: Unable to find package Other.Id with version (= 1.2.3) [/x/probe/probe.slnx]";

    private const string Unreachable = "/x/probe/Alpha/Probe.Alpha.csproj : error NU1301: Unable to load the service index for source "
        + "https://packages.example/index.json. [/x/probe/probe.slnx]";

    [Fact]
    public void MissingPackages_NoSuchId_NamesTheFamily()
    {
        IReadOnlyDictionary<string, string> missing = RestoreOutput.MissingPackages(new CommandResult(1, NoSuchId + "\n"));

        Assert.Equal(["Alpha"], missing.Keys);
        Assert.Equal("Unable to find package Some.Id. No packages exist with this id in source(s): main", missing["Alpha"]);
    }

    [Fact]
    public void MissingPackages_NoSuchVersionInAnother_NamesBoth()
    {
        IReadOnlyDictionary<string, string> missing = RestoreOutput.MissingPackages(new CommandResult(1, $"{NoSuchId}\n{NoSuchVersion}\n"));

        Assert.Equal(["Alpha", "Beta"], missing.Keys.Order());
    }

    [Fact]
    public void MissingPackages_AllRestored_IsEmpty() =>
        Assert.Empty(RestoreOutput.MissingPackages(new CommandResult(0, "  Restored /x/probe/Alpha/Probe.Alpha.csproj (in 90 ms).\n")));

    [Fact]
    public void MissingPackages_SourceUnreachable_IsNotTakenForMissing()
    {
        FeedException e = Assert.Throws<FeedException>(
            () => RestoreOutput.MissingPackages(new CommandResult(1, $"{NoSuchId}\n{Unreachable}\n")));

        Assert.Contains("could not be reached", e.Message);
        Assert.Contains("https://packages.example/index.json", e.Message);
    }

    [Fact]
    public void MissingPackages_OtherError_Fails()
    {
        string output = "/x/probe/Alpha/Probe.Alpha.csproj : error NU1403: Package content hash validation failed for Some.Id.1.0.0.\n";

        FeedException e = Assert.Throws<FeedException>(() => RestoreOutput.MissingPackages(new CommandResult(1, output)));

        Assert.Contains("NU1403", e.Message);
        Assert.Contains("content hash validation failed", e.Message);
    }

    [Fact]
    public void MissingPackages_FailureWithoutCode_ShowsTheOutput()
    {
        FeedException e = Assert.Throws<FeedException>(() => RestoreOutput.MissingPackages(new CommandResult(134, "Aborted\n")));

        Assert.Contains("exit code 134", e.Message);
        Assert.Contains("Aborted", e.Message);
    }
}
