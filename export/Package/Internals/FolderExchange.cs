using System.Runtime.InteropServices;

namespace LatentMoE.Export.Package.Internals;

/// <summary>Swaps the names of two folders in one step, so that there is always one under each name.</summary>
internal static partial class FolderExchange
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint Exchange = 2; // RENAME_EXCHANGE

    /// <summary>False where the system or its file system cannot do it.</summary>
    public static bool TryExchange(string a, string b)
    {
        try
        {
            return OperatingSystem.IsLinux() && RenameAt2(CurrentFolder, a, CurrentFolder, b, Exchange) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
