using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Rain spoils a plan; a game at home saves the day; then the sun comes back.</summary>
internal static class RainyDay
{
    private sealed record Game(string Idea, string Make, string Play, string Again);

    private static readonly Game[] Games =
    [
        new("a fort", "took blankets and chairs and built a big fort", "sat in the fort and told stories", "the fort"),
        new("paper boats", "folded six paper boats", "sailed the boats in the bathtub", "the boats"),
        new(
            "a treasure hunt", "hid ten buttons all over the house", "crawled under tables and chairs to find the treasure",
            "the treasure hunt"),
        new("a puppet show", "made puppets from old socks", "put on a funny show, and everyone clapped", "the puppets"),
        new("pancakes", "mixed flour, milk and eggs in a bowl", "ate the hot pancakes with honey", "the pancakes"),
        new("a band", "took pots and spoons from the kitchen", "banged on the pots and sang very loudly", "the band"),
        new(
            "an indoor picnic", "put a blanket on the floor and made sandwiches", "ate on the floor and pretended to see ants",
            "the picnic on the floor"),
        new("a rocket", "found a big box and drew stars on it", "flew the rocket to the moon and back", "the rocket"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.GoTo(s.Pick(Places.Outdoors));
        Game game = s.Pick(Games);
        s.Set("idea", game.Idea);
        s.Set("make", game.Make);
        s.Set("played", game.Play);
        s.Set("again", game.Again);
        s.Set("plan", "see {place.sight}", "have a picnic", "run and jump", "fly a kite", "play ball");
        s.Set("lesson",
            "a rainy day can be a good day", "you can have fun anywhere", "when one plan fails, you can make another",
            "the sun always comes back");
        s.NewParagraph();
        s.Say(
            "{hero} and {his} friend {friend} wanted to go to {place} to {plan}.",
            "All week, {hero} had waited for [Saturday|Sunday]. {he} and {friend} would go to {place} and {plan}.",
            "\"Today we go to {place}!\" said {hero}. {friend} was coming too. They wanted to {plan}.");
        s.Say(
            "But when {hero} woke up, it was raining.",
            "But then dark clouds came, and it began to rain. Drip, drop, drip, drop.",
            "Then {hero} looked out of the window. Rain was falling [on the roof|everywhere|from a gray sky].");
        s.Say(
            "\"Now we cannot {plan},\" said {hero}. {he} was [very sad|angry at the rain].",
            "\"Stupid rain!\" said {hero}, and {he} [stamped {his} foot|kicked a chair].",
            "{hero} [pressed {his} nose to the glass|sat by the window] and [sighed|almost cried].");
        s.Maybe(50,
            "{friend} came in with wet [hair|feet]. \"I am sad too,\" {friend.he} said.",
            "\"The flowers need the rain,\" said {elder}. But {hero} did not care about the flowers.");
        s.NewParagraph();
        s.Say(
            "Then {friend} had an idea. \"Let us make {idea}!\"",
            "\"We can make {idea},\" said {elder}. \"Who wants to help?\"",
            "{hero} looked around the house. \"Wait,\" {he} said. \"How about {idea}?\"");
        s.Say("So they {make}.", "{hero} and {friend} {make}.", "First, they {make}. {elder} helped.");
        s.Say("They {played}.", "Then they {played}. It was so much fun!", "{hero} laughed so hard that {his} tummy hurt. They {played}.");
        s.Maybe(60,
            "They forgot all about the rain.",
            "Outside it rained and rained, but nobody [looked|cared].",
            "\"This is better than {place},\" said {friend}.");
        s.NewParagraph();
        s.Say(
            "After [lunch|a while|some time], the rain stopped. [There was a rainbow in the sky|The sun came out].",
            "Then {friend} pointed at the window. \"Look, [a rainbow|the sun]!\"",
            "Suddenly, the room was bright. The rain was over.");
        if (s.Chance(50))
        {
            s.Say(
                "\"Do you want to go to {place} now?\" asked {elder}. \"Not yet,\" said {hero}. \"First we want to finish {again}.\"",
                "\"We can {plan} tomorrow,\" said {hero}. \"Today I like {again}.\"");
        }
        else
        {
            s.Say(
                "They put on their boots and ran to {place}. They jumped in every puddle on the way.",
                "So they went to {place} after all, and they saw {place.sight}. But they talked about {again} the whole time.");
        }
        Moods.Close(s);
    }
}
