using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A thing is lost among distractions; two look for it, and it is where nobody had looked.</summary>
internal static class LostAndFound
{
    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.Use("thing", s.Pick(s.Chance(60) ? Things.Toys : Things.Treasures));
        s.GoTo(s.Pick(Places.Outdoors));
        s.Set("lesson",
            "good friends help each other", "it is good to look after the things we love", "asking for help is a good idea",
            "two can find more than one");
        s.Say(
            "{he} had {a thing} that {he} [loved|loved very much|took everywhere].",
            "{elder} had given {him} {a thing}, and {he} [never let it go|kept it close|loved it].",
            "{his} favorite thing in the whole world was {a thing}.",
            "For {his} birthday, {hero} got {a thing}.");
        s.Maybe(70,
            "{he} liked to {thing.do} [all day|every day|before dinner].",
            "{hero} {thing.did} [every morning|whenever {he} could|again and again].",
            "{thing.doing} always made {him} [smile|laugh|happy].");
        s.NewParagraph();
        s.Say(
            "One day, {hero} [took|carried|brought] the {thing} to {place}.",
            "One [sunny|windy|quiet|bright] [morning|afternoon], {hero} went to {place} with the {thing}.",
            "On [Monday|Saturday|Sunday], {elder} took {hero} to {place}, and the {thing} came along.");
        Moods.FairDay(s);
        s.Say(
            "There {he} saw {place.sight}, and {he} [stopped to look|ran to look closer|forgot about everything else].",
            "{hero} [looked at|watched] {place.sight} for a long time.",
            "\"Look, {place.sight}!\" [said {hero}|{he} said], and {he} ran to see.");
        s.Say(
            "When {he} [turned around|came back|looked down], the {thing.noun} was gone!",
            "Then {he} [looked at|felt in] {his} hands. The {thing} was not there!",
            "After a while, {he} wanted to {thing.do}. But where was it?");
        s.Say(
            "\"Oh no! Where is my {thing.noun}?\" [cried {hero}|{hero} cried|{he} said].",
            "\"My {thing.noun}! I lost it!\" [cried {hero}|{he} said sadly].",
            "{hero} felt [very sad|like crying|cold inside]. \"I must find my {thing},\" {he} said.");
        s.Say(
            "{he} looked {place.other}, but the {thing.noun} was not there.",
            "First {he} looked {place.other}. There was [nothing there|only an old leaf|only a sleepy snail|only a broken stick].",
            "{hero} looked high and low. {he} even looked {place.other}, but {he} found nothing.");
        s.NewParagraph();
        s.Say(
            "Just then, {friend} [came by|came along|walked up]. \"Why are you [sad|crying|so quiet], {hero}?\" asked {friend}.",
            "{hero} sat down and [cried|began to cry]. {a friend.kind} named {friend} heard {him} and came over. \"What is wrong?\" {friend.he} asked.",
            "{friend}, {hero.the}'s [best friend|good friend], saw {him}. \"Did you lose something?\" asked {friend}.");
        s.Say(
            "\"I lost my {thing},\" said {hero}.",
            "\"My {thing} is gone,\" {hero} said.",
            "\"I cannot find my {thing.noun}. It is {thing.adjective},\" said {hero}.");
        s.Say(
            "\"Do not [worry|cry],\" said {friend}. \"[We will find it|I will help you look|Let us look together].\"",
            "{friend} took {his} hand. \"Let us look [together|one more time],\" {friend.he} said.",
            "\"I am good at finding things,\" said {friend}. \"Come with me!\"");
        s.Say(
            "They looked {place.other} again. Then {friend} looked {place.spot}.",
            "They walked slowly and looked at [everything|every spot]. At last they came to look {place.spot}.",
            "{hero} looked on one side and {friend} looked on the other. Then they looked {place.spot}.");
        s.Say(
            "There it was! The {thing} was {place.spot}!",
            "\"Here it is!\" [shouted {friend}|{friend} shouted]. The {thing} was {place.spot}.",
            "Something {thing.adjective} was there. It was the {thing.noun}!");
        s.NewParagraph();
        s.Say(
            "{hero} [hugged|held] the {thing.noun} tight. \"Thank you, {friend}!\" {he} said.",
            "{hero} jumped [up and down|for joy]. \"You found it! Thank you, {friend}!\"",
            "\"Thank you so much,\" said {hero}, and {he} gave {friend} a big hug.");
        s.Maybe(65,
            "Then the two friends played together [until it got dark|until dinner|all afternoon].",
            "\"Do you want to play with me?\" asked {hero}. \"Yes!\" said {friend}.",
            "On the way home, {hero} held the {thing.noun} in both hands.");
        Moods.Close(s, away: true);
    }
}
