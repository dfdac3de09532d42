using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>What was feared is met in small steps and turns out to be something harmless.</summary>
internal static class Fear
{
    private sealed record Dread(string What, string Scene, string Sign, string Step, string Truth);

    private static readonly Dread[] Dreads =
    [
        new(
            "the dark", "One night, [the light went out|the lamp went dark]. {hero}'s room was black.",
            "a [big|long|strange] shadow on the wall", "took a little light and walked to the shadow", "only {his} coat on a chair"),
        new(
            "thunder", "One night, there was a [big|loud] storm. The sky went boom, boom, boom.", "a bright flash at the window",
            "went to the window and counted to ten", "only clouds bumping together"),
        new(
            "the attic", "One day, {elder} needed a box from the attic.", "something small behind the boxes",
            "climbed the steps, one by one", "only a [tiny|gray|baby] mouse with a nut"),
        new(
            "the big dog next door", "One morning, the gate was open, and the big dog came out.", "long white teeth",
            "stood still and held out a hand", "only a happy dog who wanted to play"),
        new(
            "deep water", "One hot day, everyone went swimming in the lake.", "something dark under the water",
            "put in one foot, and then the other", "only a big green plant"),
        new(
            "the cave", "One day, {hero}'s hat blew into the cave on the hill.", "two yellow eyes in the dark",
            "took three slow steps inside", "only a little owl that had just woken up"),
        new(
            "the cellar", "One evening, {elder} asked for a jar of jam from the cellar.", "a tall white thing in the corner",
            "held up the lamp and went closer", "only a sheet on an old clock"),
        new(
            "the wind", "One night, the wind was howling around the house.", "long thin fingers at the window",
            "pulled back the curtain a little", "only a branch of the apple tree"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        Dread dread = s.Pick(Dreads);
        s.Set("dread", dread.What);
        s.Set("sign", dread.Sign);
        s.Set("step", dread.Step);
        s.Set("truth", dread.Truth);
        bool alone = s.Chance(50);
        s.Set("lesson",
            "being brave means trying when you are afraid", "scary things are often small when you look closely",
            "it helps to hold a hand when you are scared", "you can be afraid and brave at the same time");
        s.Say(
            "But {hero} was afraid of one thing. {he} was afraid of {dread}.",
            "{hero} was not afraid of [bugs|mice|big boys|cold water]. But {he} was very afraid of {dread}.",
            "There was just one problem. {hero} was scared of {dread}.");
        s.Maybe(40,
            "[The other children|Some of {his} friends] laughed at {him}, and that made {him} sad.",
            "{he} never told [anyone|{his} friends] about it.",
            "\"Everyone is afraid of something,\" said {elder}.");
        s.NewParagraph();
        s.Say(dread.Scene);
        s.Say(
            "{hero} saw {sign}. {his} heart went thump, thump, thump.",
            "Then {he} saw {sign}! {hero} [began to shake|held {his} breath|wanted to run away].",
            "{hero} [shut {his} eyes|stood very still]. When {he} looked again, {he} saw {sign}.");
        if (alone)
        {
            s.Say(
                "\"{elder.call}!\" [called {hero}|{hero} called], but nobody came.",
                "{hero} was all alone.",
                "{he} wanted to call {elder}, but no sound came out.");
            s.Say(
                "\"I can do this,\" {he} [whispered|told {self}]. {he} {step}.",
                "{he} thought of what {elder} always said: \"One small step at a time.\" So {he} {step}.",
                "{he} took a deep breath. Then {he} {step}.");
        }
        else
        {
            s.Say(
                "\"Are you scared?\" asked {friend}. {hero} nodded. \"I am a little scared too,\" said {friend}. \"[Take my hand|Let us go together].\"",
                "{friend} was there too. \"We can be brave together,\" {friend.he} said, and {friend.he} took {hero}'s hand.",
                "{friend} [whispered|said], \"I will stay with you.\" That made {hero} feel [better|braver].");
            s.Say("So {hero} {step}.", "{hero} took a deep breath. Then {he} {step}.", "Slowly, {hero} {step}. {friend} stayed close.");
        }
        s.Say(
            "And what was it? It was {truth}!",
            "{he} [looked closely|opened {his} eyes wide]. It was {truth}!",
            "\"Oh!\" said {hero}. It was {truth}.");
        s.Say(
            "{hero} [laughed|started to laugh]. \"I was scared of that!\" {he} said.",
            "{hero} smiled. {his} heart was not thumping anymore.",
            "\"That is not scary at all,\" said {hero}.");
        s.NewParagraph();
        s.Say(
            "After that, {hero} was not so afraid of {dread}.",
            "{elder} was proud. \"[You were very brave|What a brave {hero.kind} you are],\" {elder.he} said.",
            "The next day, {hero} told everyone about {dread} and how {he} {step}.");
        Moods.Close(s);
    }
}
