using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A mess is not cleaned up and hides the thing that is needed; cleaning finds it.</summary>
internal static class BigMess
{
    private static readonly (string Mess, string Make, string Slip)[] Messes =
    [
        ("blocks", "built a huge castle and then knocked it down", "stepped on a block and hopped on one foot"),
        ("paint", "painted a big picture, and the table too", "sat down in wet paint"),
        ("paper", "cut paper into a thousand little pieces", "slipped on the paper and fell"),
        ("clothes", "pulled all the clothes out to play dress up", "got caught in a sleeve and fell over a chair"),
        ("flour", "tried to bake and spilled the flour", "left white footprints all over the house"),
        ("mud", "ran in and out with muddy shoes", "slid through the hall on the mud"),
        ("books", "took all the books off the shelf", "tripped over the books"),
        ("feathers", "had a pillow fight", "sneezed ten times because of the feathers"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        var (mess, make, slip) = s.Pick(Messes);
        s.Set("mess", mess);
        s.Set("was", mess.EndsWith('s') ? "were" : "was");
        s.Set("make", make);
        s.Set("slip", slip);
        s.Use("thing", s.Pick(s.Chance(50) ? Things.Toys : Things.Treasures));
        s.Set("room", Places.Rooms);
        s.Set("event", "the party", "school", "the picnic", "the show", "the fair", "the parade");
        s.Set("lesson",
            "it is easier to find things in a clean room", "work is fun when you do it together", "you should clean up after you play",
            "a big job is small when two people help");
        s.NewParagraph();
        s.Say(
            "One day, {hero} was playing in the {room}. {he} {make}.",
            "One rainy morning, {hero} {make}. Soon there {was} {mess} everywhere in the {room}.",
            "{hero} and {his} [good |best |]friend {friend} were in the {room}. They {make}.");
        s.Say(
            "What a mess! There {was} {mess} on the floor and on the chairs.",
            "The {room} did not look like {a room} anymore.",
            "{elder} came in and put {elder.his} hands on {elder.his} head.");
        s.Say(
            "\"{hero}, please clean this up,\" said {elder}.",
            "\"You must clean up before dinner,\" said {elder}.",
            "\"Who will clean this?\" asked {elder}.");
        s.Say(
            "\"Later,\" said {hero}. {he} wanted to {hobby}.",
            "But {hero} did not want to clean. {he} went outside to {hobby}.",
            "\"I am too tired,\" said {hero}, but {he} was not tired at all.");
        s.NewParagraph();
        s.Say(
            "Soon it was time to go to {event}. {hero} needed {his} {thing}.",
            "Then {friend} came. \"Let us go to {event}! Bring your {thing.noun}!\"",
            "In the afternoon, {hero} looked for {his} {thing}. {he} wanted to take it to {event}.");
        s.Say(
            "But where was it? It had to be somewhere under all the {mess}.",
            "{he} looked and looked, but {he} could only see {mess}.",
            "\"It was here this morning,\" said {hero}. But there {was} only {mess}.");
        s.Say("{he} ran around and {slip}.", "In {his} hurry, {he} {slip}.", "Then {hero} {slip}. That was enough.");
        s.Say(
            "\"I cannot go to {event} without my {thing.noun}!\" cried {hero}.",
            "{hero} sat down in the middle of the {room} and cried.",
            "\"This mess is terrible,\" said {hero}.");
        s.NewParagraph();
        s.Say(
            "\"Let us clean up together,\" said {friend}. \"Then we will find the {thing.noun}.\"",
            "{elder} gave {him} a [broom|box|bucket]. \"Now is a good time to clean,\" {elder.he} said.",
            "{hero} knew what to do. {he} had to clean up.");
        s.Say(
            "They [put on some music|sang a song|made a game of it] and cleaned every corner.",
            "{hero} worked hard. Bit by bit, the {mess} went away.",
            "One, two, three, the {mess} went away.");
        s.Say(
            "And under the last of the {mess}, there was the {thing}!",
            "\"Here is the {thing.noun}!\" shouted {hero}.",
            "Then {hero} saw something {thing.adjective}. It was the {thing.noun}!");
        s.Say(
            "They were just in time for {event}.",
            "{hero} took the {thing} and ran to {event}.",
            "At {event}, {hero} showed the {thing.noun} to everyone.");
        s.Maybe(50,
            "The {room} was clean, and {elder} was happy.",
            "After that, {hero} always cleaned up before {he} went out to {hobby}.",
            "\"The {room} looks so nice,\" said {elder}.");
        Moods.Close(s);
    }
}
