namespace LatentMoE.Training.Data.Stories.Internals.Lexicon;

/// <summary>Sentences that any story can use: how it begins, what the day is like, how it ends.</summary>
internal static class Moods
{
    private static readonly (string Do, string Doing)[] Hobbies =
    [
        ("play in the sun", "playing in the sun"), ("sing songs", "singing songs"), ("draw pictures", "drawing pictures"),
        ("climb trees", "climbing trees"),
        ("look for bugs", "looking for bugs"), ("dance", "dancing"), ("read stories", "reading stories"), ("run fast", "running fast"),
        ("build towers", "building towers"), ("help in the garden", "helping in the garden"), ("watch the birds", "watching the birds"),
        ("splash in puddles", "splashing in puddles"), ("count the clouds", "counting the clouds"), ("tell jokes", "telling jokes"),
    ];

    /// <summary>Draws the hero and introduces him or her: <c>{hero}</c>, <c>{trait}</c>, <c>{elder}</c>, <c>{hobby}</c>, <c>{home}</c>.</summary>
    public static Character Introduce(Story story)
    {
        Character hero = People.Anyone(story);
        story.Cast("hero", hero);
        People.CastElder(story);
        story.Set("trait", People.Traits);
        story.Set("home", Places.Homes);
        var (hobby, doing) = story.Pick(Hobbies);
        story.Set("hobby", hobby);
        story.Set("hobbying", doing);
        story.Say(
            "Once upon a time, there was {a trait} [little |young |]{hero.kind} named {hero}.",
            "Once upon a time, in {home}, there lived a [little|small|young] {hero.kind} named {hero}. [{hero}|{he}] was very {trait}.",
            "There was once a [little|young] {hero.kind} [named|called] {hero} who loved to {hobby}.",
            "{hero} was {a trait} {hero.kind}. {he} lived in {home} with {elder}.",
            "In {home}, there lived {a trait} {hero.kind} [named|called] {hero}.",
            "Once there was a [little|young] {hero.kind}. {his} name was {hero}, and {he} was {trait}.",
            "{a hero.kind} named {hero} lived in {home}. {he} [loved|liked] {hobbying}.",
            "Long ago, {a trait} {hero.kind} named {hero} lived with {elder} in {home}.");
        story.Maybe(45,
            "{hero} [loved|liked] to {hobby} [every day|in the morning|after lunch|with {elder}].",
            "[Every morning|Every day|After breakfast], {hero} [liked to {hobby}|went out to {hobby}].",
            "[Everyone|All the neighbors] knew that {hero} [loved {hobbying}|was {a trait} {hero.kind}].",
            "{his} favorite thing was {hobbying}.",
            "When {hero} was happy, {he} liked to {hobby}.");
        Interludes.Maybe(story, 20);
        return hero;
    }

    /// <summary>Draws a friend: <c>{friend}</c>.</summary>
    public static Character Befriend(Character hero, Story story)
    {
        Character friend = People.FriendOf(hero, story);
        story.Cast("friend", friend);
        return friend;
    }

    /// <summary>A sentence about the weather that keeps people outside.</summary>
    public static void FairDay(Story story)
    {
        story.Maybe(55,
            "[The sun was shining|The sky was blue|It was a warm day] and [the birds were singing|there was a soft wind|the air smelled of flowers].",
            "It was a [bright|sunny|warm|lovely] [morning|day|afternoon].",
            "The [morning|day] was [cool|warm|bright], and [big white|little|soft] clouds moved across the sky.",
            "A [soft|warm|gentle] wind was blowing in the trees.");
        Interludes.Maybe(story, 40);
    }

    /// <summary>How a story with a good end closes; <c>{lesson}</c> must be set, as what was learnt ("it is good to share").</summary>
    /// <param name="story">The story.</param>
    /// <param name="away">Whether all are still somewhere from which they can go home.</param>
    public static void Close(Story story, bool away = false)
    {
        story.Maybe(60,
            "From that day on, {hero} [knew|remembered] that {lesson}.",
            "{hero} [had learned|learned] that {lesson}.",
            "{hero} never forgot that {lesson}.",
            "That [night|evening], {hero} told {elder} that {lesson}.",
            "\"{lesson},\" [said {elder}|{elder} said] [with a smile|later|that evening], and {hero} [nodded|agreed].",
            "And {hero} thought, \"{lesson}.\"");
        story.Maybe(40,
            away ? "[They|Everyone] went home [happy|tired but happy|with a smile]." : "[They were|Everyone was] [happy|tired but happy|all smiles].",
            "It was the best day [ever|of the whole week|of the summer].",
            away ? "{hero} smiled all the way home." : "{hero} smiled [all evening|for a long time].",
            "That night, {hero} [slept well|fell asleep with a smile|had sweet dreams].",
            "And they all lived happily ever after.",
            "The end.");
    }
}
