namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>What needs every node under a root. Walks with a list of its own: a chain of nodes may be longer than the thread's stack.</summary>
internal static class NodeWalk
{
    /// <summary>Finds the heights below a root whose references are all set. Each round settles one more level, so they are few.</summary>
    public static void SettleHeights(Node root, int levels)
    {
        var nodes = ChildrenFirst(root);
        for (int round = 0; round <= levels + 1; round++)
        {
            bool changed = false;
            foreach (var node in nodes)
            {
                changed |= node.Settle();
            }
            if (!changed)
            {
                return;
            }
        }
    }

    /// <summary>Every node once, children before their parents except around a cycle.</summary>
    public static List<Node> ChildrenFirst(Node root)
    {
        var order = new List<Node>();
        var seen = new HashSet<Node> { root };
        var open = new Stack<(Node Node, int Child)>();
        open.Push((root, 0));
        while (open.TryPop(out var top))
        {
            if (top.Child == top.Node.Children.Count)
            {
                order.Add(top.Node);
                continue;
            }
            open.Push((top.Node, top.Child + 1));
            var child = top.Node.Children[top.Child];
            if (seen.Add(child))
            {
                open.Push((child, 0));
            }
        }
        return order;
    }
}
