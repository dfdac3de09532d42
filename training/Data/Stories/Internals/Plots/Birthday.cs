using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A present is made by hand; one part is missing and a neighbor has it, for a favor.</summary>
internal static class Birthday
{
    private sealed record Present(string What, string Missing, string First, string Then, string Joy);

    private static readonly Present[] Presents =
    [
        new("cake", "eggs", "mixed the flour and the sugar", "put the cake in the oven", "ate three pieces of cake"),
        new("card", "glue", "cut out a big paper heart", "stuck the heart on the card", "put the card on the wall"),
        new("crown", "gold paper", "drew the shape of a crown", "cut the crown and made it round", "wore the crown all day"),
        new("bird house", "nails", "cut the wood", "hammered the walls and the roof", "hung the bird house in a tree"),
        new("necklace", "string", "collected small shells", "put the shells on the string", "never took the necklace off"),
        new("paper boat", "paint", "folded the paper", "painted the boat in bright colors", "sailed the boat on the lake"),
        new("apple pie", "apples", "rolled out the dough", "baked the pie until it was brown", "asked for more pie"),
        new(
            "pillow", "thread", "cut two pieces of soft cloth", "sewed the pillow and filled it with wool", "slept on the pillow that night"),
    ];

    private static readonly (string Ask, string Done)[] Favors =
    [
        ("water my flowers", "watered the flowers"), ("carry my bags", "carried the bags up the stairs"),
        ("find my glasses", "found the glasses under a newspaper"),
        ("feed my cat", "fed the cat and gave it water"), ("sweep my steps", "swept the steps until they were clean"),
        ("bring in the wood", "brought in all the wood"),
        ("pick up the leaves", "picked up every leaf"), ("sing me a song", "sang a long song"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        Present present = s.Pick(Presents);
        var (ask, done) = s.Pick(Favors);
        s.Set("gift", present.What);
        s.Set("begin", present.First);
        s.Set("finish", present.Then);
        s.Set("joy", present.Joy);
        s.Set("missing", present.Missing);
        bool several = present.Missing.EndsWith('s');
        s.Set("was", several ? "were" : "was");
        s.Set("is", several ? "are" : "is");
        s.Set("favor", ask);
        s.Set("favored", done);
        s.Set("neighbor", "Mrs. Brown", "Mr. Green", "old Mr. Hill", "Miss Bell", "Mrs. Rose", "Mr. Wood", "the baker", "the farmer");
        s.Set("lesson",
            "the best gifts come from the heart", "a gift made by hand is special", "when you help others, they help you",
            "giving is as nice as getting");
        s.NewParagraph();
        s.Say(
            "Tomorrow was {friend}'s birthday.",
            "It was almost {friend}'s birthday.",
            "\"{friend}'s birthday is tomorrow!\" {hero} [said|told {elder}].");
        s.Say(
            "{hero} had no money for a present. \"I will make {a gift},\" {he} said.",
            "{hero} thought and thought. \"I know! I will make {a gift} for {friend}.\"",
            "\"What can I give {friend.him}?\" asked {hero}. \"You could make {a gift},\" said {elder}.");
        s.Say("First, {he} {begin}.", "So {he} {begin}.", "{he} began at once. {he} {begin}.");
        s.Say(
            "But then {he} looked in the [drawer|box|cupboard]. There {was} no {missing}!",
            "But {he} needed {missing}, and there {was} none.",
            "\"Oh no, we have no {missing},\" said {hero}. \"I cannot finish the {gift}.\"");
        s.NewParagraph();
        s.Say(
            "{hero} [went|ran] to {neighbor}. \"Do you have some {missing}?\" {he} asked.",
            "{he} knocked on the door of {neighbor}. \"Please, may I have some {missing}? It is for {friend}'s birthday.\"",
            "\"Ask {neighbor},\" said {elder}. So {hero} went to ask.");
        s.Say(
            "\"Yes, I do,\" said {neighbor}. \"But first, can you {favor}?\"",
            "{neighbor} smiled. \"I will give you {missing} if you {favor}.\"",
            "\"Of course,\" said {neighbor}. \"Would you {favor} for me?\"");
        s.Say("\"I will!\" said {hero}, and {he} {favored}.", "{hero} {favored}.", "It was hard work, but {hero} {favored}.");
        s.Say(
            "\"Thank you,\" said {neighbor}. \"Here {is} your {missing}.\"",
            "Then {neighbor} gave {him} the {missing}, and {hero} [ran|hurried] home.");
        s.Say(
            "At home, {he} {finish}. The {gift} was [ready|done|beautiful]!",
            "Then {he} {finish}.",
            "{elder} helped a little, and {he} {finish}.");
        s.NewParagraph();
        s.Say(
            "The next day, {hero} gave the {gift} to {friend}. \"Happy birthday!\" {he} said.",
            "At the party, {friend} opened {his} present. It was {a gift}!",
            "The next morning, {hero} went to {friend} with the {gift} behind {his} back.");
        s.Say(
            "\"You made this for me?\" asked {friend}. \"It is the best {gift} in the world!\"",
            "{friend} [hugged {him}|gave {him} a hug]. \"I love it!\" {friend.he} said.",
            "{friend}'s eyes got big. \"{a gift}! Thank you, {hero}!\"");
        s.Say("{friend} {joy}.");
        Moods.Close(s);
    }
}
