using LatentMoE.Training.Data.Stories.Internals.Lexicon;

namespace LatentMoE.Training.Data.Stories.Internals.Plots;

/// <summary>A seed is planted, waited for, saved from harm, and its fruit is shared.</summary>
internal static class Garden
{
    private sealed record Plant(string Seed, string Name, string Fruit, string Dish);

    private static readonly Plant[] Plants =
    [
        new("flat white seed", "pumpkin", "a huge orange pumpkin", "pumpkin soup"),
        new("tiny black seed", "poppy", "a bright red flower", "poppy tea"),
        new("striped seed", "sunflower", "a sunflower as tall as the house", "sunflower bread"),
        new("small yellow seed", "tomato", "a basket of round tomatoes", "tomato soup"),
        new("brown bean", "bean", "a bowl of long green beans", "bean stew"),
        new("little red seed", "strawberry", "a bowl of sweet strawberries", "strawberry jam"),
        new("old potato", "potato", "a basket of potatoes", "potato pancakes"),
        new("thin seed", "carrot", "one giant carrot", "carrot cake"),
        new("big round seed", "melon", "a sweet green melon", "melon juice"),
        new("cherry stone", "cherry tree", "a handful of cherries", "cherry pie"),
    ];

    private static readonly (string Trouble, string Cure)[] Troubles =
    [
        ("a hungry snail began to eat the leaves", "carried the snail to the other side of the fence"),
        ("it did not rain for two weeks", "brought water from the well every evening"),
        ("weeds grew all around it", "pulled out the weeds, one by one"), ("a cold wind bent it down", "tied it to a stick"),
        ("birds came to pick at it", "made a scarecrow from old clothes"),
        ("a rabbit dug a hole next to it", "put a little fence around it"),
    ];

    public static void Tell(Story s)
    {
        Moods.Introduce(s);
        Plant plant = s.Pick(Plants);
        var (trouble, cure) = s.Pick(Troubles);
        s.Set("seed", plant.Seed);
        s.Set("plant", plant.Name);
        s.Set("fruit", plant.Fruit);
        s.Set("dish", plant.Dish);
        s.Set("trouble", trouble);
        s.Set("cure", cure);
        s.Set("giver", "an old man", "a farmer", "{elder}", "a bird", "a lady at the market");
        s.Set("lesson",
            "good things take time", "little things grow when you care for them", "waiting is hard, but it is worth it",
            "every big plant was once a small seed");
        s.NewParagraph();
        s.Say(
            "One [spring day|morning in spring], {giver} gave {hero} {a seed}.",
            "One day in spring, {hero} found {a seed} in {his} pocket.",
            "{giver} had {a seed}. \"This is for you, {hero}. Put it in the ground.\"");
        s.Say(
            "\"What will it be?\" asked {hero}. \"Wait and see,\" said {elder}.",
            "\"It is so small,\" said {hero}. \"What can it do?\"",
            "{hero} looked at it. It did not look like much.");
        s.Say(
            "{he} dug a [little|deep] hole in the garden and put the seed in.",
            "{he} planted it next to the [wall|gate|old tree] and gave it water.",
            "Together with {elder}, {he} made a hole, put in the seed and covered it with earth.");
        s.Say(
            "The next day, {hero} ran outside. There was nothing.",
            "Every morning, {he} went to look. But there was only earth.",
            "{hero} sat down and waited. Nothing happened.");
        s.Say(
            "\"It is not growing!\" {he} said. \"You have to be patient,\" said {elder}.",
            "\"Maybe it is asleep,\" said {hero}. {elder} laughed. \"Give it time.\"",
            "{hero} wanted to dig it up again, but {elder} said no. \"It needs sun, water and time.\"");
        s.NewParagraph();
        s.Say(
            "After [one week|ten days|many days], {he} saw something green.",
            "Then, one morning, a tiny green leaf came out of the ground.",
            "It rained, and the sun came out. And there it was, a little green leaf!");
        s.Say(
            "\"It is {a plant}!\" said {elder}.",
            "{hero} jumped for joy. It was {a plant}!",
            "Day by day, the {plant} grew. Soon it was as high as {his} knee.");
        s.Say("But then {trouble}.", "Then {trouble}. The {plant} looked very sad.", "But in summer, {trouble}.");
        s.Say("{hero} {cure}.", "\"Do not worry, little {plant},\" said {hero}, and {he} {cure}.", "{hero} knew what to do. {he} {cure}.");
        s.Maybe(50,
            "{he} talked to the {plant} every day.",
            "The {plant} stood up straight again.",
            "\"You take good care of it,\" said {elder}.");
        s.NewParagraph();
        s.Say("At the end of the summer, there was {fruit}.", "When fall came, {hero} had {fruit}.", "And one day, {he} found {fruit}!");
        s.Say(
            "{hero} and {elder} made {dish} and [invited all the neighbors|asked all {his} friends to come].",
            "\"Let us make {dish},\" said {elder}. There was enough for everyone.",
            "They made {dish} from it. Nobody had ever tasted better {dish}.");
        s.Maybe(50,
            "{hero} kept one seed for the next year.",
            "\"All this from {a seed}!\" said {hero}.",
            "Next spring, {he} would plant another {seed}.");
        Moods.Close(s);
    }
}
