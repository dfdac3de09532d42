using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A refusal makes a friend go away and the thing dull; an apology brings back both.</summary>
internal static class Sharing
{
    public static void Tell(Story s)
    {
        Character hero = Moods.Introduce(s);
        Moods.Befriend(hero, s);
        s.GoTo(s.Pick(Places.Outdoors));
        s.Set("lesson",
            "sharing is more fun than playing alone", "it is good to share", "a toy is more fun with a friend", "friends take turns");
        s.Use("thing", s.Pick(Things.Toys));
        s.NewParagraph();
        s.Say(
            "One day, {hero} got {a thing} [from {elder}|as a present|for being good].",
            "One [morning|day], {elder} gave {hero} {a thing}.",
            "{hero} had {a thing}. It was [new|the best toy {he} had].");
        s.Say(
            "{he} took it to {place} [right away|after breakfast|to {thing.do}].",
            "{he} ran to {place} to {thing.do}.",
            "{hero} was so happy that {he} {thing.did} in the yard, and then {he} took it to {place}.");
        Moods.FairDay(s);
        s.Say(
            "{friend} was there too. {friend.he} saw the {thing.noun} and [smiled|ran over|came closer].",
            "{a friend.kind} named {friend} came to {him}. {friend.he} looked at the {thing}.",
            "Soon {hero}'s friend {friend} came to play.");
        s.Say(
            "\"[What a nice|I like your] {thing.noun}! Can I play [too|with it]?\" asked {friend}.",
            "\"May I {thing.do} [too|once]?\" {friend} asked.",
            "\"Please, can I have a turn?\" asked {friend}.");
        s.Say(
            "\"No!\" said {hero}. \"It is mine!\"",
            "{hero} held the {thing.noun} [tight|behind {his} back]. \"No, it is my {thing.noun},\" {he} said.",
            "{hero} shook {his} head. \"You will break it,\" {he} said. \"Go away.\"");
        s.Say(
            "{friend} was [sad|hurt]. {friend.he} [looked at {friend.his} feet|sat down {place.spot}|walked away slowly].",
            "{friend}'s eyes were full of tears. {friend.he} went away and sat {place.spot}.",
            "\"Oh,\" said {friend} in a small voice. ^{friend.he} turned around and went to sit {place.spot}.");
        s.NewParagraph();
        s.Say(
            "{hero} {thing.did} alone. But after a while it was [not fun anymore|boring|too quiet].",
            "Now {hero} could {thing.do} all alone. There was nobody to laugh with. It was [boring|not much fun].",
            "{hero} tried {thing.doing}, but it felt [strange|lonely] without a friend.");
        if (s.Chance(55))
        {
            s.Say(
                "{elder} saw {him} and asked, \"Why do you look so sad?\"",
                "{elder} sat down next to {him}. \"Where is {friend}?\" {elder.he} asked.");
            s.Say(
                "\"I did not share, and {friend} went away,\" said {hero}. \"What can you do?\" asked {elder}. {hero} [thought|thought hard]. \"I can say sorry,\" {he} said.",
                "\"I said no to {friend},\" {hero} said softly. \"How do you think {friend} feels?\" asked {elder}. \"Sad,\" said {hero}.");
        }
        else
        {
            s.Say(
                "{he} looked at {friend} and felt [bad|a lump in {his} throat].",
                "{he} thought, \"I made {friend} sad.\"",
                "{he} saw {friend} sitting {place.spot}, all alone.");
        }
        s.Say(
            "{hero} [went|walked|ran] to {friend} {place.spot}. \"I am sorry, {friend},\" {he} said. \"[You can have a turn|We can share|Let us play together].\"",
            "{hero} picked up the {thing} and gave it to {friend}. \"I am sorry. You go first,\" {he} said.",
            "\"{friend}, I was not nice,\" said {hero}. \"Do you want to {thing.do} with me?\"");
        s.Say(
            "{friend} [smiled|looked up and smiled]. \"Thank you!\" {friend.he} said.",
            "\"[Really|Can I]?\" asked {friend}. \"Yes,\" said {hero}.",
            "{friend} wiped {friend.his} eyes and [smiled|nodded].");
        s.Say(
            "First {friend} {thing.did}, and then it was {hero}'s turn.",
            "They {thing.did} together and [laughed and laughed|had a lot of fun].",
            "The two of them took turns {thing.doing} until [the sun went down|it was time to go home|{elder} called].");
        s.NewParagraph();
        Moods.Close(s, away: true);
    }
}
