using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Something is out of reach; two ways fail and the third works.</summary>
internal static class StuckInTree
{
    private static readonly (string Try, string Result)[] ThingFailures =
    [
        ("jumped as high as {he} could", "{his} hands touched only air"), ("shook the tree", "only leaves and two nuts fell down"),
        ("threw a stick at it", "the stick got stuck too"),
        ("climbed on a box", "the box broke"), ("blew and blew", "the wind was stronger"),
        ("threw a shoe at it", "the shoe stayed in the tree"), ("tried to climb up", "the branches were too thin"),
    ];

    private static readonly (string Try, string Result)[] PetFailures =
    [
        ("called its name", "it did not come down"), ("jumped as high as {he} could", "{his} hands touched only air"),
        ("climbed on a box", "the box broke"),
        ("put a bowl of food under the tree", "it only looked at the food"), ("tried to climb up", "the branches were too thin"),
        ("sang its favorite song", "it only closed its eyes"),
    ];

    private static readonly (string Idea, string Act)[] Solutions =
    [
        ("get a ladder", "{elder} brought a ladder and climbed up"),
        ("stand on my shoulders", "{hero} stood on {friend}'s shoulders and reached up"),
        ("use a long rake", "they pulled the branch down with a long rake"),
        ("make a rope from our scarves", "they threw the rope over the branch and pulled"),
        (
            "ask the tall man next door", "the tall man just put up his arm"), ("wait for the wind",
            "a strong wind came and shook the branch"),
        ("hold out a blanket", "they held a blanket under the tree and shook the branch"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        bool pet = s.Chance(35);
        Thing thing = pet
            ? new Thing(
                s.Pick(["kitten", "cat", "monkey"]),
                ["little", "white", "gray", "brown", "naughty"],
                [("play with it", "played with it", "playing with it"), ("feed it", "fed it", "feeding it")])
            : s.Pick<Thing>([.. Things.Toys.Where(t => t.Noun is "kite" or "ball"), .. Things.Treasures.Where(t => t.Noun is "hat" or "scarf")]);
        s.Use("thing", thing);
        s.GoTo(s.Pick(Places.Outdoors));
        var failures = pet ? PetFailures : ThingFailures;
        var first = s.Pick(failures);
        var second = s.PickBut(failures, first);
        var (idea, act) = s.Pick(Solutions);
        s.Set("try", first.Try);
        s.Set("result", first.Result);
        s.Set("try2", second.Try);
        s.Set("result2", second.Result);
        s.Set("idea", idea);
        s.Set("act", act);
        s.Set("tree", "oak tree", "apple tree", "pine tree", "tall tree", "old tree");
        s.Set("lesson",
            "two heads are better than one", "if one way does not work, you can try another", "it is smart to think before you jump",
            "friends can do together what one cannot do alone");
        s.NewParagraph();
        s.Say(
            "One day, {hero} and {his} friend {friend} were {place.at}.",
            "One windy day, {hero} went to {place} with [{friend}|{his} friend {friend}].",
            "{hero} met {friend} {place.at}.");
        s.Say(
            "{hero} had {his} {thing} with {him}.",
            "{hero} had {a thing} and wanted to {thing.do}.",
            "{hero} had brought {a thing} to show it to {friend}.");
        s.Say(pet
            ? "Then a dog barked, and the {thing} ran up {a tree}."
            : "Then the wind took the {thing.noun}, and it flew up into {a tree}.");
        s.Say(
            "\"Oh no! My {thing.noun} is stuck!\" [cried {hero}|said {hero}].",
            "It was stuck on a high branch.",
            "\"Come down!\" called {hero}. But the {thing} stayed where it was.");
        s.NewParagraph();
        s.Say("First, {hero} {try}. But {result}.", "{hero} {try}, but {result}.");
        s.Say(
            "Then {he} {try2}, but {result2}.",
            "Next, {he} {try2}. But {result2}.",
            "\"Let me try something else,\" {he} said. {he} {try2}. But {result2}.");
        s.Say(
            "{hero} was [sad|angry|tired]. \"I will never get it back,\" {he} said.",
            "\"Now what?\" asked {hero}.",
            "{hero} sat down under the {tree} and sighed.");
        s.Say(
            "\"Let us think,\" said {friend}. They thought for a long time. \"I know!\" said {friend}. \"Why not {idea}?\"",
            "{friend} looked up at the {tree}. \"How about this,\" {friend.he} said. \"{idea}!\"");
        s.Say("So {act}.", "It was a good idea. {act}.", "{hero} nodded, and {act}.");
        s.Say(pet
            ? "The {thing} [jumped right into {hero}'s arms|came down, one paw after the other|was safe again]!"
            : "The {thing} [fell down|came loose], right into {hero}'s arms!");
        s.NewParagraph();
        s.Say(
            "\"Thank you, {friend}!\" said {hero}. \"You are so clever.\"",
            "{hero} was so happy that {he} danced around the {tree}.",
            "{hero} held the {thing.noun} tight. \"Good thinking, {friend}!\" {he} said.");
        s.Maybe(50,
            pet ? "After that, the {thing} stayed far away from the {tree}." : "After that, they kept the {thing.noun} far away from the {tree}.",
            "They walked home together and told {elder} all about it.");
        Moods.Close(s);
    }
}
