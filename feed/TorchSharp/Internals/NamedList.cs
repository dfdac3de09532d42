// Values by name, in the order in which the names were first added.
using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace TorchSharp.Internals;

internal sealed class NamedList<T> : IEnumerable<(string Name, T Value)>
{
    private readonly List<(string Name, T Value)> _items = [];

    public bool TryGet(string name, [MaybeNullWhen(false)] out T value)
    {
        int index = IndexOf(name);
        value = index < 0 ? default : _items[index].Value;
        return index >= 0;
    }

    public bool TryAdd(string name, T value)
    {
        if (IndexOf(name) >= 0)
            return false;
        _items.Add((name, value));
        return true;
    }

    public void Set(string name, T value)
    {
        int index = IndexOf(name);
        if (index < 0)
            _items.Add((name, value));
        else
            _items[index] = (name, value);
    }

    public void Remove(string name) => _items.RemoveAll(item => item.Name == name);

    public IEnumerator<(string Name, T Value)> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(string name) => _items.FindIndex(item => item.Name == name);
}
