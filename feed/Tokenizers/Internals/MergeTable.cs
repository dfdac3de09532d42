namespace Microsoft.ML.Tokenizers;

/// <summary>From a pair of ids to the merge's rank (its place in the list) and the id that it makes.</summary>
internal sealed class MergeTable
{
    private readonly Dictionary<long, (int Rank, int Id)> _pairs = [];

    public MergeTable(Dictionary<string, int> ids, IEnumerable<string> merges)
    {
        int rank = 0;
        foreach (string merge in merges)
        {
            int space = merge?.IndexOf(' ') ?? -1;
            if (space <= 0 || space == merge!.Length - 1 || merge.IndexOf(' ', space + 1) >= 0)
            {
                throw new InvalidOperationException($"Merge {rank} is '{merge}'; expected two tokens with one space between them.");
            }
            string left = merge[..space], right = merge[(space + 1)..];
            _pairs.Add(Key(Id(left), Id(right)), (rank++, Id(left + right)));
        }

        int Id(string token) => ids.TryGetValue(token, out int id) ? id
            : throw new InvalidOperationException($"Merge {rank} needs the token '{token}', which is not in the vocabulary.");
    }

    public bool TryGet(int left, int right, out int rank, out int id)
    {
        bool found = _pairs.TryGetValue(Key(left, right), out var merge);
        (rank, id) = merge;
        return found;
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;
}
