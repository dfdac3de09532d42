using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A box of which only one clue is known; two guesses are wrong.</summary>
internal static class MysteryBox
{
    private sealed record Content(string What, string Clue, string[] Wrong, string Use);

    private static readonly Content[] Contents =
    [
        new(
            "a kitten", "something inside went scratch, scratch", ["a bird", "a clock", "a toy with a key", "a mouse"],
            "named it Snow and gave it milk"),
        new(
            "a bag of marbles", "it went click, click when {he} shook it",
            ["a box of stones", "some old coins", "a bag of nuts", "a box of pencils"], "played marbles until dinner"),
        new(
            "a warm sweater", "it was big but very light", ["a pillow", "an empty nest", "a balloon", "a kite"],
            "put it on and did not want to take it off"),
        new(
            "a chocolate cake", "it smelled so sweet", ["a bar of soap", "a bunch of flowers", "a bag of candy", "some fruit"],
            "cut it into many pieces"),
        new(
            "a puppy", "the box moved all by itself", ["a robot", "a hungry frog", "a toy train", "a rabbit"], "ran around the yard with it"),
        new(
            "a music box", "there was a soft tune inside", ["a bird", "a tiny piano", "a bell", "a radio"],
            "listened to the tune again and again"),
        new(
            "a pair of boots", "it was heavy and went thump", ["two stones", "a hammer", "a big book", "two bottles"],
            "jumped into the first puddle"),
        new(
            "a jar of fireflies", "there was a little light in the cracks", ["a lamp", "a star", "a candle", "the moon"],
            "opened the jar at night and let them fly"),
        new(
            "a paint set", "it smelled like a new school book", ["a magazine", "a pack of paper", "a map", "some glue"],
            "painted a picture for everyone in the house"),
        new(
            "a plant", "a bit of earth fell out of it", ["a worm", "some mud", "a potato", "a garden tool"],
            "put it in the sun and gave it water"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        Content content = s.Pick(Contents);
        s.Set("content", content.What);
        s.Set("clue", content.Clue);
        string wrong = s.Pick(content.Wrong);
        s.Set("guess", wrong);
        s.Set("guess2", s.PickBut(content.Wrong, wrong));
        s.Set("use", content.Use);
        s.Set("color", "brown", "green", "red", "blue", "big", "small", "square", "round");
        s.Set("spot",
            "in front of the door", "on the kitchen table", "under the tree", "at the end of the bed", "on the steps",
            "in the middle of the road");
        s.Set("sender", "{elder}", "the neighbor", "an old friend", "the teacher", "a cousin far away");
        s.Set("lesson",
            "it can be fun to wonder", "surprises are best when they are shared", "you cannot know what is inside until you look",
            "waiting makes a surprise even better");
        s.NewParagraph();
        s.Say(
            "One morning, {hero} found {a color} box {spot}.",
            "One day, there was {a color} box {spot}.",
            "When {hero} came home, {he} saw {a color} box {spot}.");
        s.Say(
            "A note said, \"For {hero}. Do not open before [noon|lunch|dinner].\"",
            "On the box was a note: \"Wait for {friend}.\"",
            "There was a name on it: {hero}. But it was tied with a long string.");
        s.Say(
            "{friend} came to see it. \"What is in the box?\" {friend.he} asked.",
            "{hero} called {friend}. \"Come and look at this {color} box!\"",
            "Just then, {friend} came in. ^{friend.he} looked at the box with big eyes.");
        s.Say("They listened and looked. {clue}.", "{hero} held it to {his} ear. {clue}.", "{hero} touched the box, and {clue}.");
        s.NewParagraph();
        s.Say(
            "\"I think it is {guess},\" said {friend}.",
            "\"Maybe it is {guess}!\" said {friend}.",
            "\"It must be {guess},\" {friend} said.");
        s.Say(
            "\"No,\" said {hero}, \"I think it is {guess2}.\"",
            "{hero} shook {his} head. \"It could be {guess2}.\"",
            "\"Or {guess2},\" said {hero}.");
        s.Maybe(60,
            "They guessed and guessed. Time went by so slowly.",
            "{hero} walked around the box three times.",
            "\"Can we open it now?\" asked {friend}. \"Not yet,\" said {hero}.",
            "{elder} only smiled and said nothing.");
        s.Say(
            "At last, it was time. {hero} [pulled the string|opened the lid|cut the string].",
            "Then the clock struck. \"Now!\" shouted {friend}, and {hero} opened the box.",
            "Finally, {elder} said, \"You may open it now.\"");
        s.Say(
            "It was not {guess}, and it was not {guess2}. It was {content}!",
            "Inside was {content}!",
            "\"It is {content}!\" cried {hero}.");
        s.NewParagraph();
        s.Say(
            "{hero} and {friend} were so happy. They {use}.",
            "Right away, they {use}.",
            "\"I never thought of that,\" said {friend}. They {use}.");
        s.Say(
            "Under the box was a card. It was from {sender}.",
            "\"Who sent it?\" asked {friend}. The answer was on the card: {sender}.",
            "The present was from {sender}. {hero} wrote a letter to say thank you.");
        s.Maybe(50,
            "{hero} kept the {color} box for {his} treasures.",
            "The {color} box became a house for {his} toys.",
            "\"Next time, I will send a box to someone,\" said {hero}.");
        Moods.Close(s);
    }
}
