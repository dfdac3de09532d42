using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Someone lonely meets someone shy; a thing or a question breaks the ice.</summary>
internal static class NewFriend
{
    private static readonly (string Do, string Did)[] Games =
    [
        ("play hide and seek", "played hide and seek"), ("build a tower of stones", "built a tower of stones"),
        ("make flower crowns", "made flower crowns"),
        ("race to the big tree", "raced to the big tree"), ("look for [round|shiny] stones", "looked for stones"),
        ("play tag", "played tag"),
        ("roll down the hill", "rolled down the hill"), ("feed the ducks", "fed the ducks"), ("draw in the sand", "drew in the sand"),
        ("pretend to be pirates", "pretended to be pirates"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.GoTo(s.Pick(Places.Outdoors));
        s.Set("food", Things.Foods);
        var (game, played) = s.Pick(Games);
        s.Set("game", game);
        s.Set("played", played);
        s.Set("lesson",
            "it only takes one kind word to make a friend", "a new friend can be anywhere", "saying hello can change a whole day",
            "nobody likes to be alone");
        bool heroIsLonely = s.Chance(50);
        s.Say(heroIsLonely
            ? "But {hero} [was lonely|had no one to play with|was new in town]. [{he} wished for a friend.|{he} did not know anyone.|All day long, {he} played alone.]"
            : "{hero} had many [friends|games|toys], but {he} always wanted to meet someone new.");
        s.NewParagraph();
        s.Say(
            "One [day|morning|afternoon], {hero} went to {place} [alone|with {elder}].",
            "One [sunny|warm|cloudy] day, {elder} said, \"Let us go to {place}.\"",
            "On [Tuesday|Friday|Sunday], {hero} walked to {place}.");
        Moods.FairDay(s);
        s.Say(
            "{he} stopped to look at {place.sight}. And there, {place.spot}, sat {a friend.kind}.",
            "{he} saw {place.sight}. Then {he} saw {a friend.kind} [sitting|standing] {place.spot}.",
            "{place.spot}, {he} saw {a friend.kind} [all alone|with nobody to play with].");
        if (heroIsLonely)
        {
            s.Say(
                "{hero} wanted to say hello, but {he} was [too shy|afraid to speak].",
                "{hero}'s face got hot. {he} did not know what to say.");
            s.Say(
                "Then the {friend.kind} [looked up and smiled|waved]. \"Hi! My name is {friend}. What is your name?\"",
                "But the {friend.kind} came over. \"Hello, I am {friend},\" {friend.he} said. \"[I saw you looking|Do not be shy|I do not bite].\"");
            s.Say("\"I am {hero},\" said {hero} [softly|with a small smile].", "\"My name is {hero},\" {he} [said|whispered].");
        }
        else
        {
            s.Say("The {friend.kind} looked [sad|shy|cold and hungry].", "The {friend.kind} did not [say a word|look up].");
            s.Say(
                "{hero} went closer. \"Hello, I am {hero}. What is your name?\" \"{friend},\" said the {friend.kind}.",
                "\"Hi, I am {hero},\" said {hero}. The {friend.kind} looked up. \"I am {friend},\" {friend.he} said in a small voice.");
            s.Say(
                "\"Why are you all alone?\" asked {hero}. \"[I am new here|I have no friends|Nobody asked me to play],\" said {friend}.",
                "\"I do not know anybody here,\" said {friend}.");
        }
        s.Maybe(60,
            "{hero} had {a food}. {he} [broke it in two|gave half of it to {friend}|shared it with {friend}]. \"Thank you,\" said {friend}. \"[It is good|I was so hungry]!\"",
            "{friend} had {a food} and gave {hero} [a piece|half of it].",
            "They sat down and ate {a food} together.");
        s.Say(
            "\"Do you want to {game}?\" asked [{hero}|{friend}]. \"Yes!\" [said the other|came the answer].",
            "\"Let us {game}!\" said {friend}.",
            "\"I know!\" said {hero}. \"We can {game}.\"");
        s.Say(
            "So they {played} [all day|all afternoon|until the sun went down].",
            "They {played} and [laughed|laughed a lot|had so much fun].",
            "They {played}, and then they {played} again.");
        s.NewParagraph();
        s.Say(
            "When it was time to go, {friend} asked, \"Will you come [back tomorrow|again]?\" \"Yes,\" said {hero}. \"[I promise|We are friends now].\"",
            "\"Can we {game} again tomorrow?\" asked {hero}. \"Of course,\" said {friend}.",
            "At home, {hero} told {elder}, \"I have a new friend! {friend.his} name is {friend}.\"");
        s.Maybe(60,
            "After that, {hero} and {friend} met {place.at} every [day|week|Sunday].",
            "{hero} was not lonely anymore.",
            "From then on, {friend} was never alone.");
        Moods.Close(s);
    }
}
