using LatentMoE.Training.Data.Internals;
using LatentMoE.Training.Data.Stories.Internals;
using LatentMoE.Training.Data.Stories.Internals.Plots;

namespace LatentMoE.Training.Data.Stories;

/// <summary>
/// Writes simple children's stories: a hero, a friend, a thing and a place are drawn once and stay what they are to the end,
/// and what happens has consequences. Story number n of a seed is always the same; no two stories of a corpus are equal.
/// </summary>
public static class StoryGenerator
{
    private const int StoriesAtOnce = 512;

    private static readonly Action<Story>[] Plots =
    [
        LostAndFound.Tell, Sharing.Tell, Fear.Tell, NewFriend.Tell, HurtAnimal.Tell, BrokenThing.Tell,
        Birthday.Tell, RainyDay.Tell, Race.Tell, Garden.Tell, LostInTheWoods.Tell, Warning.Tell,
        Trade.Tell, NewSkill.Tell, Bedtime.Tell, MysteryBox.Tell, StuckInTree.Tell, BigMess.Tell,
    ];

    /// <summary>Different stories, in order, until they have at least so many bytes together.</summary>
    public static IReadOnlyList<string> Generate(ulong seed, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        var stories = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var drafts = new string[StoriesAtOnce];
        long written = 0;
        for (int first = 0; written < bytes; first += StoriesAtOnce)
        {
            Parallel.For(0, StoriesAtOnce, i => drafts[i] = Write(seed, first + i));
            for (int i = 0; i < StoriesAtOnce && written < bytes; i++)
            {
                if (seen.Add(drafts[i]))
                {
                    stories.Add(drafts[i]);
                    written += drafts[i].Length;
                }
            }
        }
        return stories;
    }

    /// <summary>Story number <paramref name="index"/> of a seed. ASCII, one to four paragraphs.</summary>
    public static string Write(ulong seed, int index)
    {
        var story = new Story(new Random64(seed, (ulong)index));
        story.Pick(Plots)(story);
        return story.ToString();
    }
}
