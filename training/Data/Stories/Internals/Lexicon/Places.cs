namespace LatentMoE.Training.Data.Stories.Internals.Lexicon;

/// <summary>Where stories happen.</summary>
internal static class Places
{
    public static readonly Place[] Outdoors =
    [
        new(
            "the park", "in",
            ["under the slide", "behind the big oak tree", "next to the bench", "in the sandbox", "near the swings", "beside the fountain"],
            ["ducks on the pond", "children on the swings", "a man with a big dog", "a lady with a stroller"]),
        new(
            "the forest", "in",
            ["under a bush", "behind a log", "in a pile of leaves", "between two roots", "beside the stream", "under a mushroom"],
            ["a red squirrel", "tall green trees", "a woodpecker", "yellow leaves on the ground"]),
        new(
            "the beach", "at",
            ["under a towel", "behind a rock", "in the wet sand", "next to the sandcastle", "near the boats", "in a tide pool"],
            ["white waves", "a crab in the sand", "sea birds", "a big ship far away"]),
        new(
            "the farm", "on",
            ["in the hay", "behind the barn", "under the wagon", "next to the well", "by the gate", "in the chicken house"],
            ["brown cows", "a sleepy horse", "hens with their chicks", "a big red tractor"]),
        new(
            "the garden", "in",
            ["under the rose bush", "behind the shed", "in the flower pot", "next to the fence", "between the pumpkins", "under the bench"],
            ["bees on the flowers", "a fat green caterpillar", "rows of carrots", "a snail on a leaf"]),
        new(
            "the market", "at",
            ["under a table", "behind the fruit stand", "in an empty basket", "next to the bread cart", "between two boxes", "by the fish stand"],
            ["piles of oranges", "a man with balloons", "a woman selling flowers", "fresh bread"]),
        new(
            "the meadow", "in",
            ["in the tall grass", "under the apple tree", "behind a rock", "next to the path", "near the brook", "beside a fence"],
            ["white sheep", "yellow butterflies", "a kite in the sky", "daisies everywhere"]),
        new(
            "the lake", "at",
            ["under the dock", "behind the boat house", "in the reeds", "next to the picnic table", "near the bridge", "on a flat rock"],
            ["swans on the water", "an old man fishing", "little silver fish", "a blue boat"]),
        new(
            "the playground", "at",
            ["under the seesaw", "behind the wall", "in the sandbox", "next to the gate", "near the climbing frame", "beside the water tap"],
            ["two boys on the seesaw", "a girl with ice cream", "a game of tag", "a mom with a baby"]),
        new(
            "the hill", "on",
            ["in the clover", "behind a tree stump", "under a thorn bush", "next to the old wall", "near the top", "in a rabbit hole"],
            ["the whole village", "fluffy clouds", "a hawk in the sky", "the river far below"]),
    ];

    public static readonly string[] Rooms = ["bedroom", "kitchen", "living room", "attic", "hallway", "playroom"];

    public static readonly string[] Homes = ["a small house", "a cozy cottage", "a yellow house", "a house by the river", "a little house on a hill", "a tall house in town", "a house near the woods"];
}
