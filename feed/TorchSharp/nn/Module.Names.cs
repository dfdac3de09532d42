// What a module holds, by name; the name of a submodule's member is prefixed with the submodule's and a dot.
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>The parameters, each once: one that several names share is under the first.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var own = _parameters.Select(item => (item.Name, item.Value));
                var nested = recurse ? _submodules.SelectMany(sub => Prefixed(sub.Name, sub.Value.named_parameters())) : [];
                return own.Concat(nested).Where(item => !item.Item2.IsInvalid).DistinctBy(item => item.Item2.Handle);
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) =>
                named_parameters(recurse).Select(item => item.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var own = _buffers.Where(item => include_nonpersistent || item.Value.Persistent)
                    .Select(item => (item.Name, item.Value.Tensor));
                var nested = recurse
                    ? _submodules.SelectMany(sub => Prefixed(sub.Name, sub.Value.named_buffers(true, include_nonpersistent)))
                    : [];
                return own.Concat(nested).Where(item => !item.Item2.IsInvalid).DistinctBy(item => item.Item2.Handle);
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(item => item.buffer);

            public virtual IEnumerable<(string name, Module module)> named_children() =>
                _submodules.Select(item => (item.Name, item.Value));

            public virtual IEnumerable<Module> children() => named_children().Select(item => item.module);

            public virtual IEnumerable<(string name, Module module)> named_modules() => named_children()
                .Concat(named_children().SelectMany(child => Prefixed(child.name, child.module.named_modules())));

            public virtual IEnumerable<Module> modules() => named_modules().Select(item => item.module);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            public virtual Parameter? get_parameter(string target) =>
                named_parameters().FirstOrDefault(item => item.name == target).parameter;

            public virtual Tensor? get_buffer(string target) => named_buffers().FirstOrDefault(item => item.name == target).buffer;

            /// <summary>The parameters and persistent buffers themselves, not copies.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach (var (name, parameter) in named_parameters())
                    destination.TryAdd(start + name, parameter);
                foreach (var (name, buffer) in named_buffers(include_nonpersistent: false))
                    destination.TryAdd(start + name, buffer);
                foreach (var (name, module) in named_children())
                    module.state_dict(destination, start + name);
                return destination;
            }

            /// <summary>Copies the values in.</summary>
            /// <exception cref="InvalidOperationException">strict is set, and the names are not the same.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
                Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                var destination = state_dict();
                var missing = destination.Keys.Except(source.Keys).Except(skip ?? []).ToList();
                var unexpected = source.Keys.Except(destination.Keys).Except(skip ?? []).ToList();
                if (strict && missing.Count + unexpected.Count > 0)
                    throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                using var mode = no_grad();
                foreach (string key in destination.Keys.Intersect(source.Keys).Except(skip ?? []))
                    destination[key].copy_(source[key]);
                return (missing, unexpected);
            }

            private static IEnumerable<(string, T)> Prefixed<T>(string prefix, IEnumerable<(string, T)> items) =>
                items.Select(item => ($"{prefix}.{item.Item1}", item.Item2));
        }
    }
}
