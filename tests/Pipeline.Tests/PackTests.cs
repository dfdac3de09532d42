using System.IO.Enumeration;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace LatentMoE.Pipeline.Tests;

/// <summary>The NuGet packages hold what they should, and work in a project that knows nothing of this checkout.</summary>
[Collection(nameof(SmallPackage))]
public sealed class PackTests(SmallPackage small, PackedPackages packages) : IClassFixture<PackedPackages>
{
    private const string Prompt = "Once upon a time";

    [Theory]
    [InlineData("LatentMoE.Checkpoint", "System.Numerics.Tensors")]
    [InlineData("LatentMoE.Runtime", "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData("LatentMoE.Server", "LatentMoE.Runtime")]
    public void Library_NeedsPackagesByTheirVendorsVersions(string id, string dependency)
    {
        var manifest = packages.Manifest(id);
        var dependencies = manifest.Descendants().Where(e => e.Name.LocalName == "dependency").ToDictionary(e => (string)e.Attribute("id")!, e => (string)e.Attribute("version")!);
        Assert.Contains(dependency, dependencies.Keys);
        var central = CentralVersions();
        Assert.All(dependencies, pair => Assert.Equal(pair.Key.StartsWith("LatentMoE.", StringComparison.Ordinal) ? PackedPackages.Version : central[pair.Key], pair.Value));
    }

    [Theory]
    [InlineData("LatentMoE.Checkpoint")]
    [InlineData("LatentMoE.Runtime")]
    [InlineData("LatentMoE.Server")]
    public void Library_HasDocumentationNoticesAndSymbols(string id)
    {
        Assert.Superset(new HashSet<string> { $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml", "README.md", "THIRD-PARTY-NOTICES.md" }, packages.Files(id).ToHashSet());
        Assert.Contains($"lib/net10.0/{id}.pdb", packages.Files(id, "snupkg"));
        Assert.Equal("README.md", packages.Manifest(id).Descendants().Single(e => e.Name.LocalName == "readme").Value);
        Assert.NotEmpty(packages.Manifest(id).Descendants().Single(e => e.Name.LocalName == "description").Value);
        var documented = XElement.Parse(packages.Text(id, $"lib/net10.0/{id}.xml").TrimStart('\uFEFF')).Descendants("member");
        Assert.True(documented.Count() > 10, $"{id} documents {documented.Count()} members");
    }

    [Fact]
    public void Runtime_HoldsTheNativeOperatorsOnce()
    {
        const string Library = "liblatentmoe_ops.so";
        Assert.Equal([$"runtimes/linux-x64/native/{Library}"], packages.Files("LatentMoE.Runtime").Where(file => file.EndsWith(Library, StringComparison.Ordinal)));
        Assert.DoesNotContain(packages.Files("LatentMoE.Runtime"), file => file.EndsWith("libonnxruntime.so", StringComparison.Ordinal));
        Assert.DoesNotContain(packages.Files("LatentMoE.Server"), file => file.EndsWith(".so", StringComparison.Ordinal));
    }

    [Fact]
    public void Libraries_InAnotherProject_RunTheNativeOperators()
    {
        string program = packages.BuildProgram("Story", """
            using LatentMoE.Runtime;

            using var model = LanguageModel.Load(args[0]);
            var options = new GenerationOptions { Temperature = 0, MaxNewTokens = int.Parse(args[2]), IgnoreEndOfSequence = true };
            var ids = new List<int>();
            await foreach (var piece in model.GenerateAsync(args[1], options))
            {
                ids.Add(piece.TokenId);
            }
            Console.WriteLine(string.Join(' ', ids));
            Console.WriteLine(typeof(LatentMoE.Server.LatentMoEServer).Assembly.GetName().Name);
            try
            {
                // Only the library knows this setting.
                LanguageModel.Load(args[0], new LanguageModelOptions { ConfigureSession = session => session.AddSessionConfigEntry("latentmoe.isa", "abacus") });
            }
            catch (Exception e)
            {
                Console.WriteLine(e.Message);
            }
            """, "LatentMoE.Runtime", "LatentMoE.Server");
        string[] lines = Command.Dotnet(program, small.Package, Prompt, "16").Succeeded().Output.Split('\n');
        Assert.Equal(string.Join(' ', Consumer.Expected(small.Package, Prompt, 16)), lines[0]);
        Assert.Equal("LatentMoE.Server", lines[1]);
        Assert.Contains("runtimes/linux-x64/native/liblatentmoe_ops.so", lines[2]);
        Assert.Contains("latentmoe.isa is 'abacus', and this machine has", lines[2]);
    }

    [Fact]
    public void Tool_Installed_Generates()
    {
        string folder = Path.Combine(packages.Root, "tool");
        Command.Run("dotnet", ["tool", "install", "latentmoe", "--tool-path", folder, "--version", PackedPackages.Version, "--source", packages.Folder]).Succeeded();
        var answer = JsonDocument.Parse(Command.Run(Path.Combine(folder, "latentmoe"),
            ["generate", "--model", small.Package, "--prompt", Prompt, "--max-tokens", "16", "--greedy", "--ignore-eos", "--json"]).Succeeded().LastLine).RootElement;
        Assert.Equal(Consumer.Expected(small.Package, Prompt, 16), answer.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()));
    }

    [Fact]
    public void Tool_CarriesTheLicencesOfAllThatItCarries()
    {
        string[] files = packages.Files("latentmoe");
        Assert.Superset(new HashSet<string> { "licenses/mit.txt", "licenses/protobuf.txt", "licenses/onnxruntime/ThirdPartyNotices.txt" }, files.ToHashSet());
        Assert.Contains("tools/net10.0/any/runtimes/linux-x64/native/liblatentmoe_ops.so", files);
        string[] foreign = [.. files.Where(file => Path.GetExtension(file) is ".dll" or ".so").Select(file => Path.GetFileName(file))
            .Where(name => !name.Contains("latentmoe", StringComparison.OrdinalIgnoreCase))];
        Assert.NotEmpty(foreign);
        string[] named = [.. Regex.Matches(packages.Text("latentmoe", "THIRD-PARTY-NOTICES.md"), "`([^`]+\\.(?:dll|so))`").Select(match => match.Groups[1].Value)];
        Assert.All(foreign, name => Assert.Contains(named, pattern => FileSystemName.MatchesSimpleExpression(pattern, name)));
    }

    // As Directory.Packages.props gives them before Restore has found what the sources lack.
    private static Dictionary<string, string> CentralVersions()
    {
        var file = XElement.Load(Path.Combine(Repository.Root, "Directory.Packages.props"));
        var properties = file.Elements("PropertyGroup").Elements().ToDictionary(e => $"$({e.Name.LocalName})", e => e.Value);
        return file.Descendants("PackageVersion").ToDictionary(e => (string)e.Attribute("Include")!, e => (string)e.Attribute("Version")!)
            .ToDictionary(pair => pair.Key, pair => properties.GetValueOrDefault(pair.Value, pair.Value));
    }
}
