using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>The hero follows something pretty, is lost, and comes home by a sign that an animal knows.</summary>
internal static class LostInTheWoods
{
    private static readonly string[] Lures = ["yellow butterfly", "red bird", "white rabbit", "shiny beetle", "blue dragonfly", "spotted deer"];

    private static readonly (string Helper, string Voice)[] Helpers =
    [
        ("old owl", "in a deep voice"), ("gray squirrel", "from a branch"), ("wise old turtle", "very slowly"), ("little deer", "softly"),
        ("busy ant", "in a tiny voice"), ("fat toad", "from under a leaf"),
    ];

    private static readonly (string Sign, string Follow, string Reach)[] Signs =
    [
        ("the river", "followed the water down the hill", "the bridge near {his} house"),
        ("the smell of bread", "followed {his} nose", "the baker's shop"),
        ("the church bell", "walked to the sound of the bell", "the church in the village"),
        ("the bright star", "kept the star in front of {him}", "the path to {his} house"),
        ("the old stone wall", "walked along the wall with one hand on it", "the gate of {his} garden"),
        ("the white stones", "went from stone to stone", "{his} own street"),
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        s.Set("lure", Lures);
        var (helper, voice) = s.Pick(Helpers);
        var (sign, follow, reach) = s.Pick(Signs);
        s.Set("helper", helper);
        s.Set("voice", voice);
        s.Set("sign", sign);
        s.Set("follow", follow);
        s.Set("reach", reach);
        s.Set("food", Things.Foods);
        s.Set("lesson",
            "it is important to stay close", "you should ask for help when you are lost", "home is the best place of all",
            "there is always a way home");
        s.NewParagraph();
        s.Say(
            "One day, {hero} and {elder} went for a walk in the woods.",
            "One afternoon, {elder} took {hero} to the woods to pick berries.",
            "In the fall, {hero} and {elder} went to the woods to look for mushrooms.");
        s.Say(
            "\"Stay close to me,\" said {elder}.",
            "\"Do not go too far,\" {elder} told {him}.",
            "\"Stay on the path,\" said {elder}. \"Yes,\" said {hero}.");
        s.Say(
            "But then {hero} saw {a lure}. It was so pretty!",
            "Then {a lure} came by. {hero} had never seen one like it.",
            "Suddenly, {a lure} was in front of {him}.");
        s.Say(
            "{he} followed the {lure} behind a tree, over a log and around a pond.",
            "{he} ran after it, deeper and deeper into the woods.",
            "\"Wait for me!\" called {hero}, and {he} ran after the {lure}.");
        s.Say(
            "Then the {lure} was gone. {hero} looked around. All the trees looked the same.",
            "When {he} stopped, there was no {lure} and no path. {he} was lost.",
            "The {lure} went up and away. And where was {elder}?");
        s.Say(
            "\"{elder.call}! Where are you?\" {he} called. [Nobody answered|Only the wind answered].",
            "{hero} was [cold|scared|tired]. {he} sat down and cried.",
            "It got dark, and {hero} was afraid.");
        s.NewParagraph();
        s.Say(
            "\"Who is crying there?\" asked {a helper} {voice}.",
            "Then {he} heard someone. \"Why are you sad?\" said {a helper} {voice}.",
            "Just then, {a helper} came by.");
        s.Say(
            "\"I ran after {a lure}, and now I am lost,\" said {hero}.",
            "\"I want to go home, but I do not know the way,\" {he} said.",
            "{hero} told the {helper} about the {lure}.");
        s.Maybe(60,
            "{he} gave the {helper} a bit of {his} {food}.",
            "The {helper} was kind. It shared {a food} with {him}.",
            "\"Dry your tears,\" said the {helper}.");
        s.Say(
            "\"I know the way,\" said the {helper}. \"Look for {sign}.\"",
            "The {helper} thought for a moment. \"{sign} will take you home,\" it said.",
            "\"You only have to find {sign},\" said the {helper} {voice}.");
        s.Say(
            "{hero} found {sign} and {follow}.",
            "So {hero} {follow}.",
            "{he} thanked the {helper} and looked for {sign}. Then {he} {follow}.");
        s.Say("After a while, {he} came to {reach}.", "At last, {he} saw {reach}!", "And there was {reach}!");
        s.NewParagraph();
        s.Say(
            "{elder} was [waiting|standing there] with a lamp. \"{hero}! I was so worried!\"",
            "{elder} ran to {him} and held {him} tight.",
            "\"There you are!\" cried {elder}. ^{elder.he} had looked for {him} everywhere.");
        s.Say(
            "\"I am sorry,\" said {hero}. \"I will stay close next time.\"",
            "{hero} told {elder} about the {lure} and the {helper}. \"{sign} took me home,\" {he} said.",
            "\"{a helper} helped me,\" said {hero}. {elder} [smiled|was surprised].");
        Moods.Close(s);
    }
}
