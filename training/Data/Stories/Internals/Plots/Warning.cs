using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A rule is broken, what it warned of happens, someone helps, a promise is made.</summary>
internal static class Warning
{
    private sealed record Rule(string Say, string Tempt, string Break, string Harm, string Help, string Promise);

    private static readonly Rule[] Rules =
    [
        new(
            "do not eat all the {sweets}", "the {sweets} smelled so good", "ate a little, and then a little more, until nothing was left",
            "{his} tummy hurt so much that {he} had to lie down", "{elder} made warm tea and rubbed {his} tummy", "only eat a little"),
        new(
            "do not walk on the ice", "the ice looked so smooth and shiny", "put one foot on the ice, and then the other",
            "the ice broke, and {his} legs went into the cold water", "{friend} held out a long branch and pulled {him} out",
            "stay off the ice"),
        new(
            "do not touch the wet paint", "the paint was so bright and shiny", "put a hand on the wet door",
            "there was paint on {his} hands, {his} face and {his} new clothes", "{elder} had to scrub {him} with a brush for an hour",
            "wait until it is dry"),
        new(
            "do not climb the old wall", "there were sweet plums on the other side", "climbed up, stone by stone",
            "a stone was loose, and {he} fell into the mud", "{friend} helped {him} up and washed the mud off {his} knees",
            "stay on the ground"),
        new(
            "do not open the gate", "the little pigs looked so funny", "opened the gate just a bit",
            "all the pigs ran out, into the garden and down the road", "{friend} and {elder} ran after the pigs until it was dark",
            "keep the gate shut"),
        new(
            "do not go near the bees", "{he} wanted to taste the honey", "put a finger into the hive",
            "a bee stung {him} on the nose, and it got big and red", "{elder} put cold water on {his} nose", "leave the bees alone"),
        new(
            "do not pull the cat's tail", "the tail moved from side to side", "took the tail and pulled",
            "the cat cried and scratched {his} hand", "{elder} washed {his} hand and put a bandage on it", "be gentle with the cat"),
        new(
            "wear your boots in the rain", "the boots were so heavy", "ran outside without the boots",
            "{his} feet got wet and cold, and soon {he} had to sneeze and sneeze", "{elder} put {him} to bed with hot soup",
            "always wear the boots"),
        new(
            "do not play with the scissors", "{he} wanted to look like {friend}", "cut off a big piece of {his} hair",
            "{he} looked in the mirror and saw a funny hole in {his} hair", "{friend} gave {him} a hat to wear",
            "leave the scissors in the drawer"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.Set("sweets", Things.Sweets);
        Rule rule = s.Pick(Rules);
        s.Set("rule", rule.Say);
        s.Set("tempt", rule.Tempt);
        s.Set("break", rule.Break);
        s.Set("harm", rule.Harm);
        s.Set("help", rule.Help);
        s.Set("promise", rule.Promise);
        s.Set("lesson",
            "it is wise to listen", "rules are there to keep us safe", "there is a good reason for every rule", "it is better to think before you act");
        s.NewParagraph();
        s.Say(
            "One day, {elder} said, \"{hero}, {rule}.\"",
            "\"{rule},\" said {elder} one morning. \"Do you hear me, {hero}?\"",
            "{elder} always told {him}, \"{rule}.\"");
        s.Say(
            "\"Yes, {elder.call},\" said {hero}.",
            "{hero} nodded, but {he} did not really listen.",
            "\"Why?\" asked {hero}. \"You will see,\" said {elder}.");
        s.Say(
            "Then {elder} went [out|into the garden|to the market].",
            "In the afternoon, nobody was looking.",
            "Later, {hero} was alone.");
        s.Say("But {tempt}.", "{hero} thought about it all day, because {tempt}.", "And {tempt}.");
        s.Maybe(60,
            "\"Just this once,\" {he} thought.",
            "\"Nobody will know,\" {he} said to {self}.",
            "{friend} said, \"Better not, {hero}.\" But {hero} did not listen.",
            "\"I am a big {hero.kind}. I can do what I want,\" said {hero}.");
        s.Say("So {he} {break}.", "{hero} looked left and right. Then {he} {break}.", "Slowly, {he} {break}.");
        s.NewParagraph();
        s.Say("And then {harm}.", "But oh! {harm}.", "At first it was fun. But then {harm}.");
        s.Say(
            "\"Help!\" cried {hero}.",
            "\"Oh no, oh no,\" said {hero}.",
            "{hero} began to cry. \"I should have listened,\" {he} thought.");
        s.Say("{help}.", "Luckily, someone came. {help}.", "{help}. \"What did I tell you?\" said {elder}.");
        s.NewParagraph();
        s.Say(
            "\"I am sorry, {elder.call},\" said {hero}. \"From now on, I will {promise}.\"",
            "\"Now I know why you said it,\" said {hero}. \"I will {promise}, I promise.\"",
            "{hero} looked at the floor. \"I did not listen. Next time I will {promise}.\"");
        s.Say(
            "{elder} [hugged {him}|smiled|stroked {his} hair]. \"I know you will,\" {elder.he} said.",
            "\"That is good,\" said {elder}. \"I was worried about you.\"",
            "{elder} was not angry anymore.");
        Moods.Close(s);
    }
}
