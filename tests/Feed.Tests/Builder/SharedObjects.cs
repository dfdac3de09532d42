using System.Runtime.InteropServices;

namespace LatentMoE.Feed.Tests.Builder;

/// <summary>A library of two ages, and a user of it that was linked with the newer one and finds the older one when it is loaded.</summary>
internal sealed class SharedObjects
{
    /// <summary>What only the newer library has. The user names the symbol, and does not call it before <c>fails</c> is called.</summary>
    public const string Version = "NEW_2", Symbol = "uncalled";

    /// <summary>A user's code that takes another symbol of the version.</summary>
    public const string TakesAnother = "int calls() { return another(); }";

    public string Older { get; }
    public string Newer { get; }
    public string User { get; }

    /// <param name="more">Code that the user has besides.</param>
    public SharedObjects(TemporaryFolder folder, string more = "")
    {
        // The loader takes a second library of the same name for the first.
        string name = $"lib{Guid.NewGuid():N}.so";
        (Older, Newer, User) = (folder[$"older/{name}"], folder[$"newer/{name}"], folder["libuser.so"]);
        const string old = "extern \"C\" int called() { return 1; }", versions = "OLD_1 { global: called; local: *; };";
        Compile(folder, Older, old, versions);
        Compile(folder, Newer, old + "extern \"C\" int uncalled() { return 2; } extern \"C\" int another() { return 3; }",
            versions + "NEW_2 { global: uncalled; another; } OLD_1;");
        Compile(folder, User, $$"""
            extern "C" {
            int called();
            int uncalled();
            int another();
            int works() { return called(); }
            int fails() { return uncalled(); }
            {{more}}
            }
            """, "{ global: *; };", Newer, "-Wl,-z,now", $"-Wl,-rpath,{Path.GetDirectoryName(Older)}");
    }

    /// <summary>Loads a user, which calls the older library.</summary>
    public static unsafe int Call(string user)
    {
        nint library = NativeLibrary.Load(user);
        try
        {
            return ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "works"))();
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    private static void Compile(TemporaryFolder folder, string output, string code, string versions, params string[] arguments)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        Command.Run($"compiling {output}", "g++",
            ["-shared", "-fPIC", "-nostdlib", "-o", output, folder.Write("code.cpp", code), .. arguments,
                $"-Wl,--version-script={folder.Write("versions.map", versions)},-soname={Path.GetFileName(output)}"], folder.Path);
    }
}
