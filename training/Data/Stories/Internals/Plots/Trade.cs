using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>One thing becomes another in a chain of trades; at its end is the wish, or the wish to have the first thing back.</summary>
internal static class Trade
{
    private static readonly (string Person, bool Female)[] Traders =
    [
        ("farmer", false), ("baker", true), ("fisherman", false), ("shepherd", true), ("miller", false), ("sailor", false),
        ("gardener", true), ("painter", true), ("hunter", false), ("old woman", true),
    ];

    private static readonly string[] Goods =
    [
        "basket of eggs", "loaf of bread", "big fish", "woolen blanket", "sack of flour", "long rope",
        "bunch of roses", "pot of paint", "jar of honey", "wooden spoon", "bag of nuts", "warm coat",
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        s.Use("first", s.Pick(Things.Treasures));
        s.Use("wish", s.Pick(Things.Toys));
        s.Set("goods", Goods);
        var one = s.Pick(Traders);
        var two = s.PickBut(Traders, one);
        s.Cast("one", new Character($"the {one.Person}", one.Person, one.Female));
        s.Cast("two", new Character($"the {two.Person}", two.Person, two.Female));
        bool backAgain = s.Chance(45);
        s.Set("lesson", backAgain
            ? ["some things are too dear to trade", "we often have what we need", "a gift from someone we love is worth more than gold"]
            : ["a good trade makes two people happy", "you can get far if you ask nicely", "one step can lead to another"]);
        s.NewParagraph();
        s.Say(
            "{hero} had {a first} that {elder} had given {him}.",
            "{elder} once gave {him} {a first}.",
            "On {his} shelf, {hero} had {a first}.");
        s.Say(
            "One day, at the market, {he} saw {a wish}. {he} wanted it so much!",
            "One day, {he} saw a child with {a wish}. \"I want to {wish.do} too,\" said {hero}.",
            "In the window of a shop there was {a wish}. {hero} looked at it every day.");
        s.Say(
            "But {he} had no money.",
            "\"It costs three coins,\" said the man in the shop. {hero} had none.",
            "But {hero} only had the {first}.");
        s.NewParagraph();
        s.Say(
            "On the road, {he} met {one}. \"What a nice {first.noun}!\" said {one}. \"I will give you {a goods} for it.\"",
            "{one} liked the {first}. \"Will you trade it for {a goods}?\" {one.he} asked.",
            "Then {one} came by. {one.he} needed {a first}, and {one.he} had {a goods}.");
        s.Say(
            "\"[All right|Yes],\" said {hero}, and {he} gave {one.him} the {first.noun}.",
            "{hero} thought for a moment. Then {he} took the {goods} and gave away the {first}.",
            "So {hero} traded the {first} for the {goods}.");
        s.Say(
            "Next, {he} met {two}. {two.he} looked at the {goods}.",
            "A little later, {two} saw {him} with the {goods}.",
            "{hero} walked on with the {goods}. Soon {he} came to the house of {two}.");
        s.Say(
            "\"I need {a goods}! I can give you {a wish},\" said {two}.",
            "\"My children have {a wish} that they do not use,\" said {two}. \"Shall we trade?\"",
            "And what did {two} have? {a wish}!");
        s.Say(
            "{hero} could not believe it. \"Yes, please!\" {he} said.",
            "They shook hands, and the {wish} was {hero}'s.",
            "{he} gave {two} the {goods} and took the {wish.noun}.");
        s.NewParagraph();
        if (backAgain)
        {
            s.Say(
                "{hero} {wish.did} all day. But at night, {he} looked at the empty place where the {first.noun} had been.",
                "{wish.doing} was fun. But {hero} missed the {first}.",
                "At home, {elder} asked, \"Where is your {first.noun}?\" {hero} felt a sting in {his} heart.");
            s.Say(
                "The next day, {he} went back to {one}. \"May I have my {first.noun} back? You can have the {wish}.\"",
                "So {he} ran to {one}. \"Please take the {wish},\" {he} said, \"and give me the {first.noun}.\"");
            s.Say(
                "{one} smiled. \"Of course,\" {one.he} said.",
                "\"I see that you love it,\" said {one}, and {one.he} gave it back.",
                "{one} looked at {his} sad face. \"Here it is,\" {one.he} said.");
            s.Say(
                "{hero} held the {first} to {his} heart. {he} would never give it away again.",
                "{hero} {first.did} and was happy.",
                "When {hero} had the {first.noun} in {his} hand again, {he} laughed and cried.");
        }
        else
        {
            s.Say(
                "{hero} {wish.did} all the way home.",
                "At home, {hero} showed {elder} how to {wish.do}.",
                "{hero} was so happy with the {wish}.");
            s.Say(
                "\"How did you get that?\" asked {elder}. {hero} told {elder.him} about {one} and {two}.",
                "\"First I had {a first}, then {a goods}, and now {a wish}!\" said {hero}.",
                "{one} was happy with the {first.noun}, and {two} was happy with the {goods}.");
        }
        Moods.Close(s);
    }
}
