namespace LatentMoE.Training.Data.Stories.Internals.Lexicon;

/// <summary>Small things that can happen on any day, between the parts of a story.</summary>
internal static class Interludes
{
    /// <summary>One small thing, or none.</summary>
    public static void Maybe(Story story, int percent) => story.Maybe(percent,
        "A [yellow|white|small|brown] [bird|butterfly|leaf] [flew by|landed on {hero}'s arm|came down next to {hero}].",
        "Somewhere a [dog barked|door closed|bell rang|bird sang].",
        "{hero}'s tummy [rumbled|made a funny sound]. It was almost time for [lunch|dinner|breakfast].",
        "{hero} had [a cookie|an apple|a carrot|a bit of bread] in {his} pocket and [ate it all|ate a little|kept it for later].",
        "{hero} hummed a little tune [that {elder} had taught {him}|about the rain|about a frog|about the moon].",
        "\"What a [strange|funny|lovely|long] day,\" {hero} thought.",
        "A [cat|dog|goat|hen] looked at {hero} and [walked away|went back to sleep|made a funny sound].",
        "{hero} [counted to ten|took a deep breath|scratched {his} head|looked up at the sky].",
        "The [sun|wind|air] felt [good|warm|cool] on {hero}'s face.",
        "{hero} almost [stepped in a puddle|lost a shoe|bumped into a tree], but {he} [laughed|did not mind].",
        "\"[Hello|Good day|Good morning], {hero}!\" called [the baker|the mailman|an old lady|a farmer|the teacher].",
        "An ant was carrying a [crumb|leaf|seed] that was bigger than the ant.",
        "A cloud that looked like a [sheep|boat|rabbit|dragon|hat] went by.",
        "{hero} thought of [the soup that {elder} made|{his} warm bed|the last summer|a joke] and smiled.",
        "In the distance, {hero} heard [a train|children laughing|a cow|music].",
        "{hero} picked up a [round stone|long stick|red leaf] and [put it in {his} pocket|threw it away again].");
}
