using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A small animal is hurt, cared for over some days, and set free where it was found.</summary>
internal static class HurtAnimal
{
    private sealed record Patient(string Animal, string Part, string Food, string Goodbye);

    private static readonly Patient[] Patients =
    [
        new("bird", "wing", "seeds", "flew up into the sky"), new("baby owl", "wing", "bits of meat", "flew up into a tree"),
        new("butterfly", "wing", "drops of honey", "danced away over the flowers"),
        new("baby rabbit", "leg", "carrots", "hopped away into the grass"),
        new("turtle", "foot", "leaves", "walked slowly to the water"), new("kitten", "paw", "milk", "ran around happily"),
        new("duckling", "foot", "bread", "swam away on the water"), new("baby fox", "leg", "bits of fish", "ran off to its mother"),
        new("squirrel", "tail", "nuts", "jumped from branch to branch"),
        new("hedgehog", "paw", "apple pieces", "rolled off under the leaves"),
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        Patient patient = s.Pick(Patients);
        s.Set("animal", patient.Animal);
        s.Set("color", "gray", "brown", "little", "tiny", "white", "spotted");
        s.Set("pet", "{color} {animal}");
        s.Set("part", patient.Part);
        s.Set("food", patient.Food);
        s.Set("ate", patient.Food == "milk" ? "drank" : "ate");
        s.Set("goodbye", patient.Goodbye);
        s.Set("bed", "old shoe box", "basket", "soft hat", "warm drawer", "wooden box");
        s.Set("days", "two", "three", "five", "six", "ten");
        s.GoTo(s.Pick(Places.Outdoors));
        s.Set("lesson",
            "even small hands can help", "kindness makes others strong", "helping someone feels good", "wild animals need to be free");
        s.NewParagraph();
        s.Say(
            "One day, {hero} was walking {place.at}. {he} heard a [soft|tiny|sad] sound {place.spot}.",
            "One [cold|windy|gray] morning, {hero} went to {place} with {elder}. Something moved {place.spot}.",
            "{hero} was looking at {place.sight} when {he} heard a little cry.");
        s.Say(
            "It was {a pet}! Its {part} was hurt, and it could not [move|get up|run away].",
            "There lay {a pet}. \"Oh, you poor thing!\" said {hero}. Its {part} was [hurt|broken|bleeding].",
            "{he} looked {place.spot} and found {a pet} with a hurt {part}.");
        s.Say(
            "\"Do not be afraid. I will help you,\" {hero} [whispered|said softly].",
            "The {animal} looked at {him} with [big|scared|shiny] eyes.",
            "{hero} [knelt down|sat down next to it] and spoke very softly.");
        s.Say(
            "{he} picked up the {animal} very carefully and carried it home to {elder}.",
            "{he} put the {animal} in {his} [hat|scarf|jacket] and ran home. \"{elder.call}, look! We must help it!\"",
            "{elder} came and looked. \"We can take it home,\" {elder.he} said, \"but we must be gentle.\"");
        s.NewParagraph();
        s.Say(
            "At home, {elder} [cleaned|looked at] the {part} and put a small bandage on it.",
            "{elder} showed {him} how to [wrap|clean] the {part}.",
            "They washed the {part} with warm water. {elder} tied a piece of cloth around it.");
        s.Say(
            "{hero} made a bed for the {animal} in {a bed}.",
            "The {animal} slept in {a bed}, next to {hero}'s bed.",
            "{hero} put soft [grass|cloth|cotton] in {a bed}, and the {animal} fell asleep.");
        s.Say(
            "Every day, {he} gave it {food} and water.",
            "{he} fed it {food}, [a little at a time|morning and evening].",
            "At first the {animal} would not eat. But on the second day, it {ate} some {food}.");
        s.Maybe(55,
            "{hero} sang to the {animal} so that it would not be lonely.",
            "\"Please get well soon,\" {hero} told it every night.",
            "{hero}'s friends came to see the {animal}, but they had to be quiet.");
        s.Say(
            "After {days} days, the {part} was better.",
            "{days} days went by. The {animal} got stronger and stronger.",
            "Then, after {days} days, the {animal} [stood up|tried to move], and its {part} was well again!");
        s.NewParagraph();
        s.Say(
            "\"It is time to let it go,\" said {elder}. {hero} was sad, but {he} knew it was right.",
            "{hero} wanted to keep the {animal}. \"It misses its home,\" said {elder}. {hero} thought about it and nodded.",
            "\"You belong outside,\" {hero} told the {animal}.");
        s.Say(
            "They took it back to {place}. {hero} opened {his} hands, and the {animal} {goodbye}.",
            "{hero} carried the {bed} to {place} and set it down {place.spot}. The {animal} looked back once. Then it {goodbye}.",
            "So they went to {place} again. The {animal} {goodbye}. \"Goodbye, little friend!\" called {hero}.");
        s.Maybe(50,
            "Sometimes, the {animal} came back to visit {him}.",
            "The next morning, {hero} saw {a pet} near the window. It had come to say thank you.",
            "{hero} waved until {he} could not see it anymore.");
        Moods.Close(s);
    }
}
