// Modules applied one after another.
using TorchSharp.Modules;

namespace TorchSharp
{
    namespace Modules
    {
        public class Sequential : torch.nn.Module<torch.Tensor, torch.Tensor>
        {
            private readonly List<torch.nn.Module<torch.Tensor, torch.Tensor>> _modules = [];

            internal Sequential(IEnumerable<(string name, torch.nn.Module<torch.Tensor, torch.Tensor> submodule)> modules)
                : base(nameof(Sequential))
            {
                foreach (var (name, submodule) in modules)
                    append(name, submodule);
            }

            public int Count => _modules.Count;

            public torch.nn.IModule<torch.Tensor, torch.Tensor> this[int index] => _modules[index];

            public Sequential append(string name, torch.nn.IModule<torch.Tensor, torch.Tensor> module)
            {
                _modules.Add((torch.nn.Module<torch.Tensor, torch.Tensor>)module);
                register_module(name, _modules[^1]);
                return this;
            }

            public Sequential append(torch.nn.IModule<torch.Tensor, torch.Tensor> module) => append($"{Count}", module);

            /// <summary>The intermediate results are disposed.</summary>
            public override torch.Tensor forward(torch.Tensor tensor)
            {
                var result = tensor.alias();
                foreach (var module in _modules)
                {
                    using var input = result;
                    result = module.call(input);
                }
                return result;
            }

            protected override void RegisterComponents()
            {
                // append has registered the modules.
            }
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static Sequential Sequential() => new([]);

            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) =>
                new(modules.Select((module, index) => ($"{index}", module)));

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);
        }
    }
}
