using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Something dear to another breaks; hiding it hurts more than the truth.</summary>
internal static class BrokenThing
{
    private static readonly (string Noun, string[] Kinds, string Mend)[] Fragile =
    [
        ("vase", ["blue", "tall", "glass", "pretty"], "They glued the pieces together and put flowers in it."),
        ("cup", ["white", "old", "yellow", "favorite"], "They glued the cup and kept pencils in it."),
        ("plate", ["painted", "big", "blue", "old"], "They glued the plate and hung it on the wall."),
        ("lamp", ["green", "old", "pretty", "tall"], "They bought new glass, and the lamp gave light again."),
        ("clock", ["wooden", "old", "little", "round"], "They turned a screw here and a wheel there, and the clock went tick tock again."),
        ("flower pot", ["red", "big", "clay", "round"], "They put the flower in a new pot and gave it water."),
        ("music box", ["gold", "little", "old", "pretty"], "They fixed the lid, and the music box played its song again."),
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        s.Use("thing", s.Pick(Things.Toys));
        var (noun, kinds, mend) = s.Pick(Fragile);
        s.Set("noun", noun);
        s.Set("kind", kinds);
        s.Set("fragile", "{kind} {noun}");
        s.Set("hiding", "under the bed", "behind the sofa", "in a drawer", "under the rug", "in the closet", "behind the curtain");
        s.Set("room", Places.Rooms);
        s.Set("lesson",
            "telling the truth is always best", "a mistake is not so bad when you say sorry", "hiding a mistake makes it bigger",
            "it takes courage to tell the truth");
        s.Say(
            "{elder} had {a fragile} that {elder.he} [loved|loved very much|had had since {elder.he} was small].",
            "In the {room} there was {a fragile}. It belonged to {elder}.");
        s.Maybe(70,
            "\"Please do not play near the {noun},\" said {elder}.",
            "\"Be careful near the {noun},\" {elder} always said.",
            "{hero} was not allowed to play near it.");
        s.NewParagraph();
        s.Say(
            "One [rainy|cold|gray] day, {hero} wanted to play with {his} {thing} in the {room}.",
            "One day, when {elder} was [in the garden|at the shop|upstairs], {hero} took {his} {thing} into the {room}.",
            "It was too [wet|cold] to go out, so {hero} played with {his} {thing} in the {room}.");
        s.Say(
            "{he} {thing.did} faster and faster.",
            "{hero} was having so much fun {thing.doing} that {he} forgot the {noun}.",
            "\"I will be careful,\" {he} said, and {he} {thing.did} [again and again|all over the room].");
        s.Say(
            "Crash! The {noun} fell down and broke.",
            "Then there was a loud crash. The {fragile} was in pieces!",
            "Bump! {he} hit the {noun} with the {thing.noun}, and it broke.");
        s.Say(
            "\"Oh no!\" [cried {hero}|{he} whispered]. \"What have I done?\"",
            "{hero}'s face went white. \"{elder.call} will be so angry,\" {he} thought.",
            "{he} looked at the pieces and felt [sick|very bad|scared].");
        s.Say(
            "{he} picked up the pieces and hid them {hiding}.",
            "Quickly, {he} put the pieces {hiding}.",
            "{he} did not know what to do, so {he} hid the pieces {hiding}.");
        s.NewParagraph();
        s.Say(
            "At dinner, {elder} asked, \"Where is my {noun}?\" {hero} looked at {his} plate. \"I do not know,\" {he} said.",
            "Soon {elder} came in. \"Did you see my {noun}, {hero}?\" {hero} shook {his} head.",
            "{elder} looked for the {noun} [everywhere|in the {room}]. {hero} said nothing.");
        s.Say(
            "But {his} tummy hurt. {he} [could not eat|could not sleep|did not want to {hobby}].",
            "That night, {hero} lay in bed and thought of the pieces {hiding}.",
            "{hero} saw how sad {elder} was, and {he} felt even worse.");
        s.Say(
            "At last, {he} [took|brought] the pieces to {elder}. \"I broke your {noun},\" {he} said. \"I was {thing.doing}, and I hid the pieces. I am sorry.\"",
            "{he} got up and went to {elder}. \"It was me,\" {he} said, and {he} began to cry. \"I broke the {noun} with my {thing.noun}.\"",
            "\"{elder.call}, I have to tell you something,\" said {hero}. \"The {noun} is {hiding}. I broke it. I am so sorry.\"");
        s.Say(
            "{elder} was quiet for a moment. Then {elder.he} hugged {him}. \"Thank you for telling me the truth,\" {elder.he} said.",
            "\"I am sad about the {noun},\" said {elder}, \"but I am happy that you told me.\"",
            "{elder} [dried {his} tears|took {his} hand]. \"Everyone makes mistakes,\" {elder.he} said. \"[It was brave to tell me|Thank you for being honest].\"");
        s.Say(mend);
        s.Maybe(60,
            "After that, {hero} only {thing.did} outside.",
            "\"Next time, I will {thing.do} outside,\" said {hero}.",
            "The {noun} was not the same, but {elder} liked it even more.");
        s.NewParagraph();
        Moods.Close(s);
    }
}
