using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>Something hard fails twice, a hint changes how it is tried, and it works.</summary>
internal static class NewSkill
{
    private sealed record Skill(string Do, string Did, string Fail, string FailAgain, string Hint, string Show);

    private static readonly Skill[] Skills =
    [
        new(
            "ride a bike", "rode the bike", "fell into the grass", "rode into a bush", "look ahead and not at your feet",
            "rode around the whole block"),
        new(
            "swim", "swam", "swallowed a lot of water", "sank like a stone", "kick with your legs and breathe slowly",
            "swam all the way to the dock"),
        new(
            "whistle", "whistled", "made only a funny wind sound", "blew until {his} face was red", "make your lips small and round",
            "whistled a whole song"),
        new(
            "tie a bow", "tied the bow", "made a knot that would not open", "ended up with one long lace",
            "make two rabbit ears and cross them", "tied everybody's shoes"),
        new("skate", "skated", "sat down hard on the ice", "slid into the fence", "bend your knees a little", "skated in a big circle"),
        new(
            "catch a ball", "caught the ball", "got the ball on the nose", "closed {his} eyes and missed",
            "watch the ball and open your hands", "caught ten balls in a row"),
        new(
            "jump rope", "jumped the rope", "got the rope around {his} legs", "jumped too late", "listen to the sound of the rope",
            "jumped twenty times"),
        new(
            "bake bread", "baked the bread", "burned the bread until it was black", "forgot the salt",
            "read the list twice and watch the clock", "gave warm bread to everyone"),
        new(
            "play the flute", "played the flute", "made a sound like a sad goose", "blew too hard", "blow as if you cool hot soup",
            "played at the village party"),
        new(
            "do a handstand", "did a handstand", "fell on {his} back", "kicked over a chair", "look at the floor between your hands",
            "stood on {his} hands and counted to five"),
        new(
            "write a letter", "wrote the letter", "made the words go up and down", "broke the pencil",
            "go slowly, one word after the other", "wrote letters to everyone in the family"),
        new(
            "climb the rope", "climbed the rope", "slid down and burned {his} hands", "got only halfway", "hold the rope with your feet",
            "touched the very top"),
    ];

    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        Skill skill = s.Pick(Skills);
        s.Set("skill", skill.Do);
        s.Set("did", skill.Did);
        s.Set("fail", skill.Fail);
        s.Set("again", skill.FailAgain);
        s.Set("hint", skill.Hint);
        s.Set("show", skill.Show);
        s.Set("teacher", "{friend}", "{elder}", "{friend}");
        s.Set("lesson",
            "you get better when you keep trying", "nobody can do everything the first time", "practice makes hard things easy",
            "a mistake is a step on the way");
        s.NewParagraph();
        s.Say(
            "{hero} wanted to learn to {skill}.",
            "All {his} friends could {skill}. Only {hero} could not.",
            "One day, {hero} heard that {friend} could {skill}. \"I want to do that too,\" {he} said.");
        s.Say(
            "\"It cannot be so hard,\" {he} thought.",
            "\"I will try today,\" {he} told {elder}.",
            "{he} got up early and went outside to try.");
        s.Say("The first time, {he} {fail}.", "{he} tried, and {he} {fail}.", "{hero} took a deep breath and began. But {he} {fail}.");
        s.Say("The second time, {he} {again}.", "{he} tried again and {again}.", "\"One more time,\" {he} said. This time, {he} {again}.");
        s.Maybe(45, "Some children laughed.", "{hero}'s cheeks got hot.", "{elder} saw it and said nothing.");
        s.Say(
            "\"I cannot do it!\" {he} [said|cried|shouted]. \"I will never {skill}.\"",
            "{hero} wanted to give up. {he} sat down and [cried a little|put {his} head in {his} hands].",
            "\"I am not good at this,\" {he} said sadly.");
        s.NewParagraph();
        s.Say(
            "{teacher} sat down next to {him}. \"I could not do it at first,\" said {teacher}. \"It took me [two weeks|a long time|many tries].\"",
            "\"Do not give up,\" said {teacher}. \"You are almost there.\"",
            "Then {teacher} came. \"May I tell you something?\"");
        s.Say(
            "\"Try this: {hint}.\"",
            "\"My trick is easy,\" said {teacher}. \"{hint}.\"",
            "\"You have to remember one thing,\" said {teacher}. \"{hint}.\"");
        s.Say(
            "{hero} [dried {his} eyes|stood up] and tried again.",
            "{hero} practiced that day, and the next day, and the day after.",
            "\"All right,\" said {hero}. \"Once more.\"");
        s.Say("{he} thought of the trick: \"{hint}.\"", "{he} did just what {teacher} had said.", "{his} heart beat fast.");
        s.Say("And then it worked! {he} {did}!", "Suddenly, {he} {did}! \"I am doing it!\" {he} shouted.", "And look! {hero} {did}!");
        s.NewParagraph();
        s.Say("The next day, {he} {show}.", "{elder} clapped {elder.his} hands when {hero} {show}.", "Soon {hero} {show}.");
        s.Maybe(55,
            "{friend} was happy for {him}.",
            "\"You did not give up,\" said {teacher}. \"I am proud of you.\"",
            "Later, {hero} helped a little boy who wanted to learn it too. \"{hint},\" {he} told the boy.");
        Moods.Close(s);
    }
}
