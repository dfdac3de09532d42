namespace LatentMoE.Training.Data.Stories.Internals.Lexicon;

/// <summary>Toys, treasures and food.</summary>
internal static class Things
{
    private static readonly string[] Colors = ["red", "blue", "green", "yellow", "purple", "orange", "pink"];

    public static readonly Thing[] Toys =
    [
        new(
            "ball", [.. Colors, "bouncy", "striped"],
            [("bounce it", "bounced it", "bouncing it"), ("roll it", "rolled it", "rolling it"), ("kick it", "kicked it", "kicking it"), ("throw it high", "threw it high", "throwing it high")]),
        new(
            "kite", [.. Colors, "long", "striped"],
            [("fly it", "flew it", "flying it"), ("make it dance in the wind", "made it dance in the wind", "making it dance in the wind")]),
        new(
            "toy car", [.. Colors, "fast", "shiny"],
            [("race it", "raced it", "racing it"), ("push it back and forth", "pushed it back and forth", "pushing it back and forth")]),
        new(
            "toy boat", [.. Colors, "wooden", "little"],
            [("sail it", "sailed it", "sailing it"), ("float it in the water", "floated it in the water", "floating it in the water")]),
        new(
            "toy train", [.. Colors, "wooden", "noisy"],
            [("pull it", "pulled it", "pulling it"), ("drive it around", "drove it around", "driving it around")]),
        new(
            "teddy bear", ["brown", "soft", "fluffy", "old", "white"],
            [("hug it", "hugged it", "hugging it"), ("carry it around", "carried it around", "carrying it around")]),
        new(
            "doll", ["pretty", "soft", "tiny", "old"],
            [("dress it", "dressed it", "dressing it"), ("sing to it", "sang to it", "singing to it")]),
        new(
            "drum", [.. Colors, "loud", "small"],
            [("beat it", "beat it", "beating it"), ("play a song on it", "played a song on it", "playing a song on it")]),
        new(
            "whistle", ["silver", "shiny", "tiny", "red"],
            [("blow it", "blew it", "blowing it"), ("play a tune on it", "played a tune on it", "playing a tune on it")]),
        new(
            "scooter", [.. Colors, "new", "fast"],
            [("ride it", "rode it", "riding it"), ("ride it in circles", "rode it in circles", "riding it in circles")]),
        new(
            "puppet", ["funny", "silly", "green", "soft"],
            [("make it talk", "made it talk", "making it talk"), ("put on a show with it", "put on a show with it", "putting on a show with it")]),
        new(
            "robot", ["silver", "shiny", "blue", "funny"],
            [("make it walk", "made it walk", "making it walk"), ("wind it up", "wound it up", "winding it up")]),
        new(
            "top", ["wooden", "bright", "red", "blue"],
            [("spin it", "spun it", "spinning it"), ("watch it go around", "watched it go around", "watching it go around")]),
        new(
            "jump rope", [.. Colors, "long"],
            [("skip with it", "skipped with it", "skipping with it"), ("swing it", "swung it", "swinging it")]),
    ];

    public static readonly Thing[] Treasures =
    [
        new(
            "shell", ["white", "pink", "shiny", "smooth"],
            [("listen to it", "listened to it", "listening to it"), ("hold it to the light", "held it to the light", "holding it to the light")]),
        new(
            "stone", ["smooth", "round", "shiny", "gray", "white"],
            [("polish it", "polished it", "polishing it"), ("hold it tight", "held it tight", "holding it tight")]),
        new(
            "feather", ["blue", "white", "long", "soft"],
            [("tickle people with it", "tickled people with it", "tickling people with it"), ("wear it", "wore it", "wearing it")]),
        new(
            "button", ["gold", "shiny", "round", "red"],
            [("spin it", "spun it", "spinning it"), ("keep it in a pocket", "kept it in a pocket", "keeping it in a pocket")]),
        new(
            "key", ["old", "gold", "tiny", "rusty"],
            [("wear it on a string", "wore it on a string", "wearing it on a string"), ("try it in every door", "tried it in every door", "trying it in every door")]),
        new(
            "hat", [.. Colors, "tall", "warm"],
            [("wear it", "wore it", "wearing it"), ("show it to everyone", "showed it to everyone", "showing it to everyone")]),
        new("scarf", [.. Colors, "warm", "long"], [("wear it", "wore it", "wearing it"), ("wave it", "waved it", "waving it")]),
        new(
            "book", ["thick", "old", "funny", "blue", "red"],
            [("read it", "read it", "reading it"), ("look at the pictures", "looked at the pictures", "looking at the pictures")]),
        new(
            "bell", ["silver", "tiny", "gold", "shiny"],
            [("ring it", "rang it", "ringing it"), ("listen to its sound", "listened to its sound", "listening to its sound")]),
        new(
            "lantern", ["little", "bright", "old", "yellow"],
            [("light it", "lit it", "lighting it"), ("carry it in the dark", "carried it in the dark", "carrying it in the dark")]),
    ];

    public static readonly string[] Foods =
    [
        "apple", "pear", "cookie", "sandwich", "banana", "muffin", "carrot", "pancake", "cupcake", "peach", "slice of bread",
        "bowl of soup", "piece of cheese", "slice of pie",
    ];

    public static readonly string[] Sweets = ["cookies", "cupcakes", "jam", "honey", "candy", "berries", "chocolate", "cherry pie", "pudding", "plums"];
}
