using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Sleep does not come: a sound, a missing toy, and what finally helps.</summary>
internal static class Bedtime
{
    private static readonly (string Sound, string Cause)[] Sounds =
    [
        ("tap, tap, tap", "a branch at the window"), ("drip, drip, drip", "the water in the kitchen"),
        ("squeak, squeak", "the cat on the stairs"),
        ("tick, tock", "the clock in the hall"), ("hoo, hoo", "an owl in the tree"), ("purr, purr", "the cat under the bed"),
        ("creak, creak", "the old garden gate"),
    ];

    private static readonly (string Do, string Did, string Result)[] Helps =
    [
        ("count the stars", "counted the stars", "At number twenty, {his} eyes were closed."),
        ("drink warm milk", "drank a cup of warm milk", "The milk made {him} feel warm inside."),
        ("listen to a song", "listened to a soft song", "Before the song was over, {he} was asleep."),
        ("think of something nice", "thought of {place}", "Soon {he} was dreaming of {place.sight}."),
        ("count sheep", "counted one sheep, two sheep, three sheep", "The tenth sheep jumped, and {hero} was asleep."),
        ("hear a story", "listened to a story about {place}", "{he} was asleep before the end."),
    ];

    private static readonly Thing[] Toys =
    [
        .. Things.Toys.Where(thing => thing.Noun is "teddy bear" or "doll" or "puppet" or "robot"),
        new("rabbit", ["soft", "white", "pink"], [("hold it", "held it", "holding it")]),
        new("blanket", ["blue", "yellow", "soft", "old"], [("hold it", "held it", "holding it")]),
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        s.Use("toy", s.Pick(Toys));
        s.GoTo(s.Pick(Places.Outdoors));
        var (sound, cause) = s.Pick(Sounds);
        var (help, helped, result) = s.Pick(Helps);
        s.Set("sound", sound);
        s.Set("cause", cause);
        s.Set("help", help);
        s.Set("helped", helped);
        s.Set("hidden",
            "under the bed", "behind the pillow", "in the bathtub", "under the sofa", "in the toy box", "on the stairs",
            "in the garden, under a chair");
        s.Set("lesson",
            "the night is not so scary", "a quiet night can be full of friends", "sleep comes when you are calm",
            "there is always someone near");
        s.NewParagraph();
        s.Say(
            "It was [late|night|dark outside]. {elder} put {hero} to bed and turned off the light.",
            "One night, {hero} could not sleep.",
            "\"Good night, {hero},\" said {elder} and closed the door.");
        s.Say(
            "{he} turned to the left. {he} turned to the right. But {he} was not sleepy.",
            "{hero} looked at the [ceiling|moon|wall]. {he} was wide awake.",
            "The moon was shining into the room.");
        bool missing = s.Chance(60);
        if (missing)
        {
            s.Say(
                "Then {he} felt with {his} hand. Where was {his} {toy}?",
                "Something was wrong. The {toy} was not in {his} bed!",
                "\"I cannot sleep without my {toy.noun},\" {he} thought. But it was not there.");
            s.Say(
                "{he} got up and looked in the closet. The {toy.noun} was not there.",
                "{he} looked next to the lamp and on the chair. No {toy.noun}.",
                "\"{elder.call}! My {toy.noun} is gone!\" called {hero}.");
        }
        s.Say("Then {he} heard a sound. \"{sound}.\"", "\"{sound},\" went something in the dark.", "Suddenly there was a noise: {sound}.");
        s.Say(
            "{hero} pulled the blanket over {his} head.",
            "\"Who is there?\" {he} whispered.",
            "{his} eyes got big. \"Is that a monster?\" {he} thought.");
        s.Say(
            "{elder} came in with a candle. They listened. It was only {cause}.",
            "{hero} tiptoed to the door and looked. It was only {cause}.",
            "{he} listened again. Then {he} knew it. It was just {cause}!");
        s.NewParagraph();
        if (missing)
        {
            s.Say(
                "And there, {hidden}, was the {toy}!",
                "On the way back, {he} saw something {hidden}. It was the {toy.noun}!",
                "\"Look what I found {hidden},\" said {elder}. It was the {toy}.");
            s.Say(
                "{hero} hugged the {toy.noun} and got back into bed.",
                "\"There you are,\" {he} said to the {toy.noun}.",
                "{he} held the {toy} very tight.");
        }
        else
        {
            s.Say("{hero} took {his} {toy} and got back into bed.", "\"I still cannot sleep,\" said {hero}. {he} held {his} {toy}.");
        }
        s.Say(
            "\"You can {help},\" said {elder}.",
            "\"When I cannot sleep, I {help},\" said {elder}.",
            "\"Maybe you should {help},\" said {elder} softly.");
        s.Say("So {hero} {helped}.", "{hero} nodded and {helped}.", "With the {toy.noun} in {his} arms, {hero} {helped}.");
        s.Say(result);
        s.Maybe(50,
            "{elder} kissed {him} and closed the door.",
            "The {toy} slept too.",
            "\"Good night,\" whispered {elder}.",
            "Outside, the moon was smiling.");
        s.Maybe(40,
            "From then on, {hero} was not afraid when {he} heard \"{sound}.\"",
            "In the morning, {hero} remembered that {lesson}.",
            "And so {hero} learned that {lesson}.");
    }
}
