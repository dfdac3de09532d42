// What optimizers share: groups of parameters with options, a state for each parameter, and their binary form.
using TorchSharp.Internals;
using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public abstract partial class Optimizer : IDisposable
            {
                protected IList<ParamGroup> _parameter_groups = [];

                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                public abstract Tensor? step(Func<Tensor>? closure = null);

                public abstract void zero_grad();

                public abstract void add_param_group(ParamGroup param_group);

                public virtual IEnumerable<Parameter> parameters() => _parameter_groups.SelectMany(group => group.Parameters);

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing) { }

                /// <summary>The options of the groups and the states of their parameters, in order; not copies.</summary>
                public class StateDictionary
                {
                    internal StateDictionary() { }

                    public List<OptimizerOptions> Options { get; } = [];

                    public List<OptimizerState> State { get; } = [];

                    public List<List<int>> StateIndexRef { get; } = [];
                }
            }

            public interface ILearningRateController
            {
                double LearningRate { get; set; }

                double InitialLearningRate { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }
        }
    }

    namespace Modules
    {
        public abstract class OptimizerHelper : torch.optim.Optimizer
        {
            private readonly Dictionary<IntPtr, OptimizerState> _states = [];

            /// <summary>Sets the gradients that there are to zero.</summary>
            public override void zero_grad()
            {
                foreach (var parameter in parameters())
                {
                    using var grad = parameter.grad;
                    grad?.zero_().Dispose();
                }
            }

            public virtual StateDictionary state_dict()
            {
                var result = new StateDictionary();
                foreach (var group in _parameter_groups)
                {
                    result.Options.Add(group.Options);
                    int first = result.State.Count;
                    result.State.AddRange(group.Parameters.Select(StateOf));
                    result.StateIndexRef.Add([.. Enumerable.Range(first, result.State.Count - first)]);
                }
                return result;
            }

            public virtual void load_state_dict(StateDictionary state_dict)
            {
                var own = this.state_dict();
                CheckCounts(own, state_dict.Options.Count, state_dict.State.Count);
                foreach (var (options, source) in own.Options.Zip(state_dict.Options).Where(pair => pair.First != pair.Second))
                    options.LoadStateDict(source);
                foreach (var (state, source) in own.State.Zip(state_dict.State).Where(pair => pair.First != pair.Second))
                    state.LoadStateDict(source);
            }

            public void save_state_dict(string location)
            {
                using var writer = new BinaryWriter(File.Create(location));
                save_state_dict(writer);
            }

            public void save_state_dict(BinaryWriter writer)
            {
                var own = state_dict();
                writer.Write(GetType().Name);
                writer.Encode(own.Options.Count);
                writer.Encode(own.State.Count);
                own.Options.ForEach(options => options.SaveStateDict(writer));
                own.State.ForEach(state => state.SaveStateDict(writer));
            }

            public void load_state_dict(string location)
            {
                using var reader = new BinaryReader(File.OpenRead(location));
                load_state_dict(reader);
            }

            public void load_state_dict(BinaryReader reader)
            {
                string name = reader.ReadString(), expected = GetType().Name;
                if (name != expected)
                {
                    throw new InvalidDataException(
                        $"Mismatched optimizer type: expected '{expected}', but found '{name}' in the loaded stream.");
                }
                var own = state_dict();
                CheckCounts(own, reader.Decode(), reader.Decode());
                own.Options.ForEach(options => options.LoadStateDict(reader));
                own.State.ForEach(state => state.LoadStateDict(reader));
            }

            public void to(torch.Device device)
            {
                foreach (var state in _states.Values)
                    state.to(device);
            }

            protected override void Dispose(bool disposing)
            {
                if (!disposing)
                    return;
                foreach (var state in _states.Values.OfType<IDisposable>())
                    state.Dispose();
                _states.Clear();
            }

            /// <summary>Steps every group without differentiation; the closure, if any, is run first and its loss returned.</summary>
            protected torch.Tensor? StepGroups<TGroup>(Action<TGroup> body, Func<torch.Tensor>? closure) where TGroup : ParamGroup
            {
                torch.Tensor? loss = null;
                if (closure is not null)
                {
                    using (torch.enable_grad())
                        loss = closure();
                }
                using var mode = torch.no_grad();
                using var scope = torch.NewDisposeScope();
                foreach (var group in _parameter_groups)
                    body((TGroup)group);
                return loss;
            }

            protected void AddGroup<TState>(ParamGroup group, Func<Parameter, TState> create) where TState : OptimizerState
            {
                group.InitialLearningRate = group.LearningRate;
                group.Parameters = [.. group.Parameters];
                _parameter_groups.Add(group);
                foreach (var parameter in group.Parameters)
                {
                    var state = create(parameter);
                    state.Initialize(group.Options);
                    _states[parameter.Handle] = state;
                }
            }

            private protected OptimizerState StateOf(Parameter parameter) => _states[parameter.Handle];

            private static void CheckCounts(StateDictionary own, long options, long states)
            {
                if (options != own.Options.Count)
                    throw new ArgumentException("Invalid optimizer state -- different number of parameter groups.");
                if (states != own.State.Count)
                    throw new ArgumentException("Invalid optimizer state -- different number of states.");
            }
        }
    }
}
