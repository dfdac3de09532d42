using System.IO.Compression;
using System.Xml.Linq;

namespace LatentMoE.Feed;

/// <param name="Target">Path inside the package, with '/'.</param>
internal sealed record PackageEntry(string Source, string Target);

/// <summary>Writes .nupkg files: a zip with a .nuspec at its root. A file under the final name is always whole.</summary>
internal static class NuGetPackageWriter
{
    private static readonly XNamespace NuSpec = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd";
    private static readonly XNamespace ContentTypes = "http://schemas.openxmlformats.org/package/2006/content-types";

    public static void Write(string path, string id, string version, string description,
        IReadOnlyDictionary<string, string> dependencies, IReadOnlyList<PackageEntry> entries)
    {
        string temporary = path + ".tmp";
        using (FileStream file = File.Create(temporary))
        using (ZipArchive zip = new(file, ZipArchiveMode.Create))
        {
            AddXml(zip, $"{id}.nuspec", Manifest(id, version, description, dependencies, entries));
            AddXml(zip, "[Content_Types].xml", Types(entries));
            foreach (PackageEntry entry in entries)
                AddFile(zip, entry);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static XElement Manifest(string id, string version, string description,
        IReadOnlyDictionary<string, string> dependencies, IReadOnlyList<PackageEntry> entries)
    {
        XElement group = new(NuSpec + "group", new XAttribute("targetFramework", "net10.0"),
            dependencies.Select(d => new XElement(NuSpec + "dependency", new XAttribute("id", d.Key), new XAttribute("version", d.Value))));
        XElement metadata = new(NuSpec + "metadata",
            new XElement(NuSpec + "id", id),
            new XElement(NuSpec + "version", version),
            new XElement(NuSpec + "authors", "LatentMoE feed"),
            new XElement(NuSpec + "description", description));
        if (entries.Any(e => e.Target == "LICENSE"))
            metadata.Add(new XElement(NuSpec + "license", new XAttribute("type", "file"), "LICENSE"));
        metadata.Add(new XElement(NuSpec + "dependencies", group));
        return new XElement(NuSpec + "package", metadata);
    }

    private static XElement Types(IReadOnlyList<PackageEntry> entries) => new(ContentTypes + "Types",
        entries.Select(e => Path.GetExtension(e.Target).TrimStart('.')).Append("nuspec").Where(e => e != "").Distinct()
            .Select(e => new XElement(ContentTypes + "Default", new XAttribute("Extension", e),
                new XAttribute("ContentType", "application/octet"))),
        entries.Select(e => e.Target).Where(t => Path.GetExtension(t) == "")
            .Select(t => new XElement(ContentTypes + "Override", new XAttribute("PartName", "/" + t),
                new XAttribute("ContentType", "application/octet"))));

    private static void AddXml(ZipArchive zip, string name, XElement content)
    {
        using Stream stream = zip.CreateEntry(name).Open();
        new XDocument(content).Save(stream);
    }

    // The entry's time is that of writing: builds copy a package's file only where its time or size differs from the one in place.
    private static void AddFile(ZipArchive zip, PackageEntry entry)
    {
        using Stream target = zip.CreateEntry(entry.Target, CompressionLevel.Fastest).Open();
        using FileStream source = File.OpenRead(entry.Source);
        source.CopyTo(target);
    }
}
