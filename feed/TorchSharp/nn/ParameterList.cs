// Parameters in a list, named by their positions.
using System.Collections;
using TorchSharp.Modules;

namespace TorchSharp
{
    namespace Modules
    {
        public class ParameterList : torch.nn.Module, IEnumerable<Parameter>
        {
            private readonly List<Parameter> _list;
            private bool _registered;

            public ParameterList(params Parameter[] parameters)
                : base(nameof(ParameterList)) => _list = [.. parameters];

            public int Count => _list.Count;

            public Parameter this[int index] => _registered ? get_parameter($"{index}")! : _list[index];

            public void Add(Parameter item) => _list.Add(item);

            public void append(params Parameter[] parameters) => _list.AddRange(parameters);

            public IEnumerator<Parameter> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

            IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

            protected override void RegisterComponents()
            {
                if (_registered)
                    return;
                for (int i = 0; i < _list.Count; i++)
                    register_parameter($"{i}", _list[i]);
                _registered = true;
            }
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static ParameterList ParameterList(params Parameter[] parameters) => new(parameters);
        }
    }
}
