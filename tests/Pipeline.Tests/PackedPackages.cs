using System.IO.Compression;
using System.Xml.Linq;

namespace LatentMoE.Pipeline.Tests;

/// <summary>The NuGet packages, packed once under a version that no package cache holds.</summary>
public sealed class PackedPackages : IDisposable
{
    public const string Version = "0.1.0-pack.test";

    public PackedPackages()
    {
        // What the target depends on has been built with this test.
        Command.Run("dotnet", ["cake", "build", "--target=Pack", "--exclusive", $"--output={Folder}", $"--package-version={Version}"]).Succeeded();
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("packages").FullName;

    public string Folder => Path.Combine(Root, "packed");

    /// <summary>Where packages are unpacked: not the machine's cache, which would keep them.</summary>
    private string Unpacked => Path.Combine(Root, "unpacked");

    /// <summary>The names of a package's files.</summary>
    public string[] Files(string id, string extension = "nupkg")
    {
        using var zip = Open(id, extension);
        return [.. zip.Entries.Select(entry => entry.FullName)];
    }

    public string Text(string id, string file)
    {
        using var zip = Open(id, "nupkg");
        using var reader = new StreamReader(zip.GetEntry(file)!.Open());
        return reader.ReadToEnd();
    }

    public XElement Manifest(string id) => XElement.Parse(Text(id, $"{id}.nuspec").TrimStart('\uFEFF'));

    /// <summary>A project folder elsewhere, whose sources are the packed folder, the feed and the user's own.</summary>
    /// <returns>The program's assembly.</returns>
    internal string BuildProgram(string name, string source, params string[] references)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        string feed = Path.Combine(Repository.Root, "artifacts/feed"), output = Path.Combine(folder, "out");
        File.WriteAllText(Path.Combine(folder, "NuGet.config"), $"""
            <configuration><packageSources><add key="packed" value="{Folder}" /><add key="feed" value="{feed}" /></packageSources></configuration>
            """);
        // The feed's versions come before the vendor's, which its machine cannot have: named by the project itself, they are taken instead.
        File.WriteAllText(Path.Combine(folder, $"{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="{feed}/versions.props" Condition="Exists('{feed}/versions.props')" />
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <NoWarn>NU1507;NU1605</NoWarn>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(references.Select(id => $"""<PackageReference Include="{id}" Version="{Version}" />"""))}
                <PackageReference Include="Microsoft.ML.OnnxRuntime.Gpu" Version="$(OnnxRuntimeVersion)" Condition="'$(OnnxRuntimeVersion)' != ''" />
                <PackageReference Include="Microsoft.ML.Tokenizers" Version="$(TokenizersVersion)" Condition="'$(TokenizersVersion)' != ''" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), source);
        Command.Run("dotnet", ["build", folder, "--configuration", "Release", "--output", output, "--nologo", "--verbosity", "quiet", "--disable-build-servers",
            $"-p:RestorePackagesPath={Unpacked}", $"-p:RestoreFallbackFolders={Repository.PackageCache}"], folder: folder).Succeeded();
        return Path.Combine(output, $"{name}.dll");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private ZipArchive Open(string id, string extension) => ZipFile.OpenRead(Path.Combine(Folder, $"{id}.{Version}.{extension}"));
}
