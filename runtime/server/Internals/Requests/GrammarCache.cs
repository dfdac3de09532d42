using System.Collections.Concurrent;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>Grammars by their schemas: what one answer learned about its grammar serves the next.</summary>
internal sealed class GrammarCache
{
    private const int Most = 64;

    private readonly ConcurrentDictionary<string, Grammar> _grammars = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">The schema cannot be enforced.</exception>
    public Grammar Get(string schema)
    {
        if (_grammars.TryGetValue(schema, out var known))
        {
            return known;
        }
        var grammar = Grammar.FromJsonSchema(schema);
        if (_grammars.Count >= Most)
        {
            _grammars.Clear();
        }
        return _grammars.GetOrAdd(schema, grammar);
    }
}
