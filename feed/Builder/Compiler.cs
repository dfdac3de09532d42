// Compiles what goes into packages: assemblies with the .NET SDK, native libraries with the script that comes with their sources.
using System.Xml.Linq;

namespace LatentMoE.Feed;

internal sealed class Compiler(string root, string work)
{
    /// <summary>An assembly from a tarball's C# sources, as its vendor compiles them: no nullable context, no analyzers.</summary>
    /// <returns>The assembly's path.</returns>
    public string Assembly(AssemblyRecipe recipe, string sources, IEnumerable<KeyValuePair<string, string>> references)
    {
        string folder = Path.Combine(work, "compile", recipe.Name);
        Directory.CreateDirectory(folder);
        string project = Path.Combine(folder, $"{recipe.Name}.csproj");
        new XElement("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"),
            new XElement("PropertyGroup",
                new XElement("TargetFramework", "net10.0"),
                new XElement("AllowUnsafeBlocks", "true"),
                new XElement("EnableDefaultItems", "false"),
                new XElement("DebugType", "none"),
                new XElement("RunAnalyzers", "false"),
                new XElement("TreatWarningsAsErrors", "false")),
            new XElement("ItemGroup",
                new XElement("Compile", new XAttribute("Include", Path.Combine(sources, "**", "*.cs"))),
                (recipe.Usings ?? []).Select(u => new XElement("Using", new XAttribute("Include", u))),
                references.Select(r => new XElement("PackageReference",
                    new XAttribute("Include", r.Key), new XAttribute("Version", r.Value))))).Save(project);
        string output = Path.Combine(folder, "out");
        Build(recipe.Name, project, ["-o", output]);
        return Path.Combine(output, $"{recipe.Name}.dll");
    }

    /// <summary>The assemblies, with their documentation, of a project in the repository.</summary>
    public IReadOnlyList<string> Project(string projectFolder)
    {
        string folder = Path.Combine(work, "compile", Path.GetFileName(projectFolder));
        string output = Path.Combine(folder, "out");
        Build(projectFolder, Path.Combine(root, projectFolder), ["-o", output, "--artifacts-path", folder]);
        return [.. Directory.GetFiles(output).Where(f => Path.GetExtension(f) is ".dll" or ".xml").Order(StringComparer.Ordinal)];
    }

    /// <summary>A native library; a script that succeeds without leaving its file is an error.</summary>
    public string NativeLibrary(NativeLibraryRecipe recipe)
    {
        string output = Path.Combine(work, "native");
        Console.WriteLine($"Compiling {recipe.File}");
        Command.Run(recipe.Script, "sh", [Path.Combine(root, recipe.Script), output], root);
        string library = Path.Combine(output, recipe.File);
        return File.Exists(library) ? library : throw new FeedException($"{recipe.Script} left no {recipe.File} in {output}");
    }

    private void Build(string name, string project, string[] options)
    {
        Console.WriteLine($"Compiling {name}");
        Command.Run(name, Command.Dotnet, ["build", project, "-c", "Release", "-nologo", "-v:quiet", .. options], work, echo: false,
            ("MSBUILDDISABLENODEREUSE", "1"));
    }
}
