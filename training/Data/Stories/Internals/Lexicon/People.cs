namespace LatentMoE.Training.Data.Stories.Internals.Lexicon;

/// <summary>Characters, and the older ones who help them.</summary>
internal static class People
{
    private static readonly string[] Girls =
    [
        "Mia", "Lily", "Anna", "Emma", "Zoe", "Ella", "Rosie", "Nora", "Lucy", "Sophie", "Maya", "Clara", "Ruby", "Ivy", "Hazel",
        "Poppy", "Jane", "Amy", "Kate", "Grace", "Alice", "Daisy", "Molly", "Sara", "Tina", "Nina", "Eva", "Lola", "Penny", "Wendy",
    ];

    private static readonly string[] Boys =
    [
        "Tom", "Ben", "Max", "Sam", "Leo", "Jack", "Tim", "Noah", "Oscar", "Finn", "Henry", "Luke", "Adam", "Billy", "Charlie",
        "Danny", "Eric", "Felix", "George", "Hugo", "Ian", "Jake", "Kevin", "Liam", "Mark", "Nick", "Owen", "Peter", "Ravi", "Theo",
    ];

    private static readonly string[] AnimalGirls = ["Coco", "Fern", "Dot", "Clover", "Willow", "Ginger", "Misty", "Honey", "Bluebell", "Peaches", "Tulip", "Olive"];

    private static readonly string[] AnimalBoys = ["Pip", "Bruno", "Biscuit", "Pepper", "Bramble", "Moss", "Pebble", "Pickle", "Button", "Patch", "Rusty", "Waffles"];

    private static readonly string[] Animals =
    [
        "rabbit", "bear", "fox", "mouse", "duck", "frog", "squirrel", "hedgehog", "kitten", "puppy", "lamb", "pony",
        "turtle", "penguin", "monkey", "elephant", "pig", "goat", "beaver", "badger",
    ];

    public static readonly string[] Traits =
    [
        "curious", "kind", "shy", "brave", "silly", "gentle", "cheerful", "clever", "playful", "quiet", "friendly", "happy", "busy",
        "careful", "funny",
    ];

    /// <summary>A child, or less often an animal.</summary>
    public static Character Anyone(Story story) => story.Chance(60) ? Child(story) : Animal(story);

    public static Character Child(Story story)
    {
        bool female = story.Chance(50);
        return new Character(story.Pick(female ? Girls : Boys), female ? "girl" : "boy", female);
    }

    public static Character Animal(Story story)
    {
        bool female = story.Chance(50);
        return new Character(story.Pick(female ? AnimalGirls : AnimalBoys), story.Pick(Animals), female);
    }

    /// <summary>Someone of another name, usually of the same sort.</summary>
    public static Character FriendOf(Character hero, Story story)
    {
        bool child = hero.Kind is "girl" or "boy";
        Character friend;
        do
        {
            friend = child == story.Chance(85) ? Child(story) : Animal(story);
        }
        while (friend.Name == hero.Name);
        return friend;
    }

    /// <summary>Casts the grown-up of the hero: <c>{elder}</c> is "her mom", <c>{elder.call}</c> how the hero calls her.</summary>
    public static void CastElder(Story story)
    {
        (string word, string call, bool female) = story.Pick(Elders);
        story.Cast("elder", new Character($"{story["hero.his"]} {word}", word, female));
        story.Set("elder.call", call);
    }

    private static readonly (string Word, string Call, bool Female)[] Elders =
    [
        ("mom", "Mom", true), ("mom", "Mom", true), ("dad", "Dad", false), ("dad", "Dad", false),
        ("grandma", "Grandma", true), ("grandpa", "Grandpa", false), ("aunt", "Auntie", true), ("uncle", "Uncle", false),
    ];
}
