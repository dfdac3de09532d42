using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A race in which the faster one stops to help, or rests too long.</summary>
internal static class Race
{
    private static readonly string[] Goals = ["the old bridge", "the big rock", "the apple tree", "the mill", "the red gate", "the top of the hill", "the well"];

    private static readonly (string Who, string Trouble, string Help)[] Troubles =
    [
        ("a baby bird", "had fallen out of its nest", "put it back in the nest"),
        ("an old turtle", "was lying on its back", "turned it over"),
        ("a little girl", "had lost her shoe", "found the shoe in a bush"),
        ("a small boy", "had hurt his knee", "wrapped his knee in a cloth"),
        ("a beetle", "was stuck in the mud", "lifted it out with a leaf"), ("a lamb", "was caught in the fence", "pulled the wire apart"),
        ("an old woman", "had dropped her apples", "picked up all the apples"), ("a puppy", "was tied to a tree", "untied the rope"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.GoTo(s.Pick(Places.Outdoors));
        // A goal elsewhere than where the race starts and where the runners stop.
        s.Set("goal", [.. Goals.Where(goal => !$"{s["place"]} {s["place.spot"]}".Contains(goal[(goal.LastIndexOf(' ') + 1)..]))]);
        s.Set("prize", "gold cup", "big cake", "blue ribbon", "basket of plums", "shiny medal", "silver bell");
        s.NewParagraph();
        s.Say(
            "One day, there was a race {place.at}. The winner would get {a prize}.",
            "Every year, there was a race from {place} to {goal}. The prize was {a prize}.",
            "One morning, {friend} said, \"Let us race to {goal}! The winner gets {a prize}.\"");
        s.Say(
            "\"I am the fastest,\" said {friend}. \"Nobody can beat me.\"",
            "{friend} [laughed|smiled]. \"You are too slow, {hero},\" {friend.he} said.",
            "Everyone thought that {friend} would win. {friend.he} had long legs.");
        s.Say(
            "{hero} said nothing. {he} just [tied {his} shoes|took a deep breath|looked at {goal}].",
            "\"I will do my best,\" said {hero}.",
            "{hero} had practiced every day.");
        s.Say("\"One, two, three, go!\" They ran.", "\"Ready, set, go!\" shouted {elder}.", "A bell rang, and off they went.");
        if (s.Chance(55))
        {
            StopToHelp(s);
        }
        else
        {
            RestTooLong(s);
        }
        Moods.Close(s, away: true);
    }

    private static void StopToHelp(Story s)
    {
        var (who, trouble, help) = s.Pick(Troubles);
        s.Set("who", who);
        s.Set("again", $"the {who[(who.IndexOf(' ') + 1)..]}");
        s.Set("trouble", trouble);
        s.Set("help", help);
        s.Set("lesson",
            "helping is better than winning", "a kind heart is the best prize", "winning is not everything",
            "some things matter more than a race");
        s.Say(
            "{hero} ran as fast as the wind. Soon {he} was in front of {friend}.",
            "At first {friend} was in front. But near the end, {hero} ran past {friend.him}.",
            "They ran side by side for a long time. Then {hero} was a little faster.");
        s.NewParagraph();
        s.Say(
            "Then {hero} saw {who} {place.spot}. {he} could see that {again} {trouble}.",
            "But what was that {place.spot}? There was {who} who {trouble}.",
            "Suddenly {he} heard a cry for help. {who} {trouble}.");
        s.Say(
            "{hero} looked at {goal}. It was so close. But {he} stopped.",
            "\"If I stop, I will lose,\" {he} thought. But {he} stopped anyway.",
            "{hero} did not think about the race anymore. {he} stopped.");
        s.Say("{he} {help}.", "Carefully, {he} {help}. \"There you go,\" {he} said.", "{he} bent down and {help}.");
        s.Say(
            "{friend} ran by and got to {goal} first.",
            "In the meantime, {friend} reached {goal} and won.",
            "When {hero} came to {goal}, {friend} was already there with the {prize}.");
        s.NewParagraph();
        s.Say(
            "\"I won! Why did you stop?\" asked {friend}. {hero} told {friend.him} about {again}.",
            "Everyone clapped for {friend}. But then {elder} told them why {hero} had stopped.",
            "{friend} was happy, but {friend.he} had seen it all.");
        s.Say(
            "{friend} was quiet. Then {friend.he} gave the {prize} to {hero}. \"You are the real winner,\" {friend.he} said.",
            "\"You were faster than me,\" said {friend}. \"Let us share the {prize}.\"",
            "{friend} looked at the {prize} and blushed. \"This should be yours,\" {friend.he} said.");
    }

    private static void RestTooLong(Story s)
    {
        s.Set("rest", "ate a sandwich", "took a nap", "picked flowers", "looked at {place.sight}", "waved to the crowd");
        s.Set("lesson",
            "slow and steady can win", "it is not good to brag", "you should never stop too early", "trying hard is better than bragging");
        s.Say(
            "Soon {friend} was far in front.",
            "{friend} ran so fast that {hero} could not see {friend.him} anymore.",
            "In no time, {friend} was halfway to {goal}.");
        s.NewParagraph();
        s.Say(
            "\"{hero} is so slow. I have lots of time,\" said {friend}. So {friend.he} sat down {place.spot} and {rest}.",
            "{friend} looked back and saw nobody. {friend.he} stopped {place.spot} and {rest}.",
            "Then {friend} got tired of running. {friend.he} {rest} and forgot the race.");
        s.Say(
            "But {hero} kept going, step by step.",
            "{hero} did not stop. {he} ran and ran, [slowly but surely|one step after the other].",
            "{hero}'s legs hurt, but {he} did not give up.");
        s.Say(
            "{he} passed {friend} {place.spot} and said nothing.",
            "{hero} tiptoed past {friend}.",
            "When {he} came by, {friend} did not even [look up|see {him}].");
        s.Say(
            "When {friend} [looked up|jumped up], it was too late. {hero} was at {goal}!",
            "{friend} heard people cheering. {hero} had reached {goal}!",
            "At last, {hero} touched {goal}. {he} had won!");
        s.NewParagraph();
        s.Say(
            "{hero} got the {prize}. {friend} was [red in the face|very quiet].",
            "{elder} gave {him} the {prize} and a big hug.",
            "\"How did you do that?\" asked {friend}. \"I just kept going,\" said {hero}.");
        s.Say(
            "\"I am sorry I called you slow,\" said {friend}. \"It is all right,\" said {hero}.",
            "{hero} shared the {prize} with {friend}, and they laughed about it.",
            "\"Next time I will not stop,\" said {friend}. \"Next time I will run even faster,\" said {hero}.");
    }
}
