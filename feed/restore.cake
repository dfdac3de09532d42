// The packages that projects reference: from the configured NuGet sources, or built by feed/Builder where these lack them.
Task("Restore")
    .Description("Restores packages, building those that the NuGet sources lack. --cuda takes the CUDA provider although no driver is present; --feed=all, or families of feed/packages.json, builds what a source may have.")
    .Does(() =>
{
    var builder = MakeAbsolute(File("feed/Builder/bin/Release/net10.0/LatentMoE.Feed.Builder.dll"));
    var built = FileExists(builder) ? System.IO.File.GetLastWriteTimeUtc(builder.FullPath) : DateTime.MinValue;
    var sources = GetFiles("feed/Builder/*.cs*") + GetFiles("Directory.*.props");
    if (sources.Any(file => System.IO.File.GetLastWriteTimeUtc(file.FullPath) > built))
    {
        DotNetBuild("feed/Builder", new DotNetBuildSettings { Configuration = "Release", NoLogo = true, Verbosity = DotNetVerbosity.Quiet });
    }
    DotNetExecute(builder, "--solution=Pipeline.sln" + (HasArgument("cuda") ? " --cuda" : "") + (HasArgument("feed") ? $" --feed={Argument<string>("feed")}" : ""));
});
