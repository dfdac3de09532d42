// The fields of a module's type and its bases, and the names under which their values are registered.
using System.Collections.Concurrent;
using System.Reflection;
using TorchSharp.Utils;

namespace TorchSharp.Internals;

internal static class ModuleFields
{
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> Fields = new();

    public static FieldInfo[] Of(Type type) => Fields.GetOrAdd(type, Collect);

    public static string Name(FieldInfo field) => field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? field.Name;

    /// <summary>Puts the replacement where the module's fields hold the value that was registered under the name.</summary>
    public static void Replace(torch.nn.Module module, string name, torch.Tensor former, torch.Tensor replacement)
    {
        foreach (var field in Of(module.GetType()))
        {
            if (ReferenceEquals(field.GetValue(module), former))
                field.SetValue(module, replacement);
        }
    }

    private static FieldInfo[] Collect(Type type)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var fields = new List<FieldInfo>();
        for (var current = type; current is not null && current != typeof(torch.nn.Module); current = current.BaseType)
            fields.AddRange(current.GetFields(Own));
        return [.. fields.DistinctBy(field => field.Name)];
    }
}
