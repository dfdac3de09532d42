// A vendor's package that this machine cannot load as it is, under a version of the feed, with the one mark changed that is in the way.
// The package cache is only read.
using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;

namespace LatentMoE.Feed;

/// <param name="probe">The folder of the family's probe, which is restored.</param>
internal sealed class Reissue(FeedPaths paths, PackageFamily family, string reference, string vendorVersion, string probe)
{
    private const string Signature = ".signature.p7s";

    private readonly UncalledSymbol _symbol = family.UncalledSymbol!;

    /// <summary>Whether the vendor's library asks for what this machine's C++ library has not got.</summary>
    public bool IsNeeded => Machine.Lacks(_symbol) && new ElfFile(Library(), _symbol.File).Requires(_symbol.Version);

    public string Version { get; } = RecipeHash.ReissueVersion(paths, family, reference, vendorVersion);

    /// <summary>The ids that carry the new version: the package of the library, and the one that projects reference.</summary>
    public IReadOnlyList<string> Ids { get; } = [.. new[] { family.UncalledSymbol!.Package, reference }.Distinct()];

    public void Build()
    {
        foreach (string id in Ids)
            if (!File.Exists(paths.Package(id, Version)))
                Write(id);
    }

    private void Write(string id)
    {
        string path = paths.Package(id, Version), temporary = path + ".tmp";
        using (ZipArchive vendor = ZipFile.OpenRead(VendorPackage(id)))
        using (FileStream file = File.Create(temporary))
        using (ZipArchive zip = new(file, ZipArchiveMode.Create))
        {
            foreach (ZipArchiveEntry entry in vendor.Entries.Where(e => e.FullName != Signature))
            {
                ZipArchiveEntry copy = zip.CreateEntry(entry.FullName, CompressionLevel.Fastest);
                // The library is of the same size as before, so a build sees by its time alone that it is another.
                if (entry.FullName != _symbol.File)
                    copy.LastWriteTime = entry.LastWriteTime;
                using Stream source = entry.Open(), target = copy.Open();
                if (entry.FullName.EndsWith(".nuspec", StringComparison.OrdinalIgnoreCase) && !entry.FullName.Contains('/'))
                    Manifest(source).Save(target);
                else if (entry.FullName == _symbol.File)
                    target.Write(Loadable(source));
                else
                    source.CopyTo(target);
            }
        }
        File.Move(temporary, path, overwrite: true);
    }

    private XDocument Manifest(Stream source)
    {
        XDocument manifest = XDocument.Load(source);
        XElement metadata = manifest.Root!.Elements().Single(e => e.Name.LocalName == "metadata");
        metadata.Elements().Single(e => e.Name.LocalName == "version").Value = Version;
        foreach (XElement dependency in metadata.Descendants().Where(e => e.Name.LocalName == "dependency"))
            if (Ids.Contains(dependency.Attribute("id")!.Value, StringComparer.OrdinalIgnoreCase))
                dependency.SetAttributeValue("version", Version);
        return manifest;
    }

    private byte[] Loadable(Stream source)
    {
        byte[] bytes = ReadAll(source);
        new ElfFile(bytes, _symbol.File).MakeWeak(_symbol.Version, _symbol.Symbol);
        return bytes;
    }

    private byte[] Library()
    {
        using ZipArchive vendor = ZipFile.OpenRead(VendorPackage(_symbol.Package));
        ZipArchiveEntry entry = vendor.GetEntry(_symbol.File)
            ?? throw new FeedException($"{_symbol.Package} {vendorVersion}: has no {_symbol.File}, which feed/packages.json names");
        using Stream source = entry.Open();
        return ReadAll(source);
    }

    private static byte[] ReadAll(Stream source)
    {
        using MemoryStream bytes = new();
        source.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The file that the probe's restore left in a package folder.</summary>
    private string VendorPackage(string id)
    {
        using JsonDocument assets = JsonDocument.Parse(File.ReadAllText(Path.Combine(probe, "obj", "project.assets.json")));
        string key = assets.RootElement.GetProperty("libraries").EnumerateObject().Select(p => p.Name)
            .FirstOrDefault(name => name.Equals($"{id}/{vendorVersion}", StringComparison.OrdinalIgnoreCase))
            ?? throw new FeedException(
                $"{reference} {vendorVersion}: does not depend on {id} of the same version, as feed/packages.json says");
        string relative = Path.Combine(id.ToLowerInvariant(), vendorVersion, $"{id.ToLowerInvariant()}.{vendorVersion}.nupkg");
        return assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(p => Path.Combine(p.Name, relative))
            .FirstOrDefault(File.Exists)
            ?? throw new FeedException($"{key}: restored, but {relative} is in no package folder");
    }
}
