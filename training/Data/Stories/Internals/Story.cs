using System.Text;
using LatentMoE.Training.Data.Internals;

namespace LatentMoE.Training.Data.Stories.Internals;

/// <summary>A story being told: the facts fixed so far, under the names that templates use, and the text.</summary>
internal sealed class Story(Random64 random)
{
    private readonly Dictionary<string, string> _facts = [];
    private readonly StringBuilder _text = new();
    private Random64 _random = random;

    public T Pick<T>(IReadOnlyList<T> options) => options[(int)_random.Below(options.Count)];

    /// <summary>One that is not <paramref name="other"/>.</summary>
    public T PickBut<T>(IReadOnlyList<T> options, params ReadOnlySpan<T> other)
    {
        while (true)
        {
            T option = Pick(options);
            if (!other.Contains(option))
            {
                return option;
            }
        }
    }

    public bool Chance(int percent) => _random.Below(100) < percent;

    /// <summary>A fact, as fixed.</summary>
    /// <exception cref="KeyNotFoundException">The story has no such fact.</exception>
    public string this[string fact] => _facts.TryGetValue(fact, out string? value) ? value : throw new KeyNotFoundException($"No fact named '{fact}'.");

    /// <summary>Fixes a fact: one of the templates, expanded now.</summary>
    public void Set(string fact, params IReadOnlyList<string> templates) => _facts[fact] = Template.Expand(Pick(templates), this);

    /// <summary>
    /// Fixes a character's name and pronouns: <c>{role}</c>, <c>{role.he}</c>, <c>{role.him}</c>, <c>{role.his}</c>, <c>{role.self}</c>, <c>{role.kind}</c>,
    /// <c>{role.the}</c>; the hero's pronouns also without the role.
    /// </summary>
    public void Cast(string role, Character character)
    {
        _facts[role] = character.Name;
        _facts[$"{role}.kind"] = character.Kind;
        _facts[$"{role}.the"] = $"the {character.Kind}";
        var pronouns = character.Female ? ("she", "her", "her", "herself") : ("he", "him", "his", "himself");
        (_facts[$"{role}.he"], _facts[$"{role}.him"], _facts[$"{role}.his"], _facts[$"{role}.self"]) = pronouns;
        if (role == "hero")
        {
            (_facts["he"], _facts["him"], _facts["his"], _facts["self"]) = pronouns;
        }
    }

    /// <summary>
    /// Fixes a thing: <c>{thing}</c> with its adjective, <c>{thing.noun}</c> and <c>{thing.adjective}</c> apart, and what one does with it,
    /// in three forms.
    /// </summary>
    public void Use(string name, Thing thing)
    {
        string noun = thing.Noun;
        string adjective = Pick(thing.Adjectives);
        _facts[name] = $"{adjective} {noun}";
        _facts[$"{name}.adjective"] = adjective;
        _facts[$"{name}.noun"] = noun;
        (_facts[$"{name}.do"], _facts[$"{name}.did"], _facts[$"{name}.doing"]) = Pick(thing.Uses);
    }

    /// <summary>
    /// Fixes a place: <c>{place}</c>, <c>{place.at}</c> with its preposition, <c>{place.spot}</c>, <c>{place.other}</c>
    /// and <c>{place.sight}</c>.
    /// </summary>
    public void GoTo(Place place)
    {
        _facts["place"] = place.Name;
        _facts["place.at"] = $"{place.Preposition} {place.Name}";
        string spot = Pick(place.Spots);
        _facts["place.spot"] = spot;
        _facts["place.other"] = PickBut(place.Spots, spot);
        _facts["place.sight"] = Pick(place.Sights);
    }

    /// <summary>Tells one of the templates.</summary>
    public void Say(params IReadOnlyList<string> templates)
    {
        if (_text.Length > 0 && _text[^1] != '\n')
        {
            _text.Append(' ');
        }
        _text.Append(Template.Sentence(Pick(templates), this));
    }

    /// <summary>Tells one of the templates, or nothing.</summary>
    public void Maybe(int percent, params IReadOnlyList<string> templates)
    {
        if (Chance(percent))
        {
            Say(templates);
        }
    }

    public void NewParagraph() => _text.Append('\n');

    public override string ToString() => _text.ToString().TrimEnd();
}
