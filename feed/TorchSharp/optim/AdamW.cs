// AdamW: Adam with decoupled weight decay, arXiv:1711.05101, algorithm 2.
using TorchSharp.Internals;
using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static AdamW AdamW(IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static AdamW AdamW(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1e-3,
                double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, bool amsgrad = false,
                bool maximize = false) =>
                new(parameters.Select(item => item.parameter), lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static AdamW AdamW(IEnumerable<AdamW.ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9,
                double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }

    namespace Modules
    {
        public class AdamW : OptimizerHelper, torch.optim.IBetas
        {
            private readonly Options _defaults;

            public AdamW(IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                : this([new ParamGroup { Parameters = parameters }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize) { }

            public AdamW(IEnumerable<ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            {
                Require(lr >= 0, "learning rate", lr);
                Require(eps >= 0, "ε", eps);
                Require(beta1 is >= 0 and < 1, "beta1", beta1);
                Require(beta2 is >= 0 and < 1, "beta2", beta2);
                Require(weight_decay >= 0, "weight_decay value", weight_decay);
                _defaults = new Options
                {
                    LearningRate = lr,
                    InitialLearningRate = lr,
                    beta1 = beta1,
                    beta2 = beta2,
                    eps = eps,
                    weight_decay = weight_decay,
                    amsgrad = amsgrad,
                    maximize = maximize,
                };
                foreach (var group in parameters)
                    add_param_group(group);
            }

            public (double, double) Betas
            {
                get => (_defaults.beta1!.Value, _defaults.beta2!.Value);
                set => (_defaults.beta1, _defaults.beta2) = value;
            }

            public override void add_param_group(Modules.ParamGroup param_group)
            {
                param_group.Options ??= new Options();
                ((Options)param_group.Options).Complete(_defaults);
                AddGroup(param_group, parameter => new State(parameter));
            }

            public override torch.Tensor? step(Func<torch.Tensor>? closure = null) => StepGroups<ParamGroup>(Step, closure);

            private void Step(ParamGroup group)
            {
                var items = group.Parameters.Select(parameter => (parameter, parameter.grad, (State)StateOf(parameter)))
                    .Where(item => item.grad is not null).ToList();
                foreach (var (_, _, state) in items)
                    state.step++;
                // Parameters differ in their step counts only where some had no gradient before.
                foreach (var same in items.GroupBy(item => item.Item3.step))
                {
                    Update(group.Options, same.Key, [.. same.Select(item => item.parameter)], [.. same.Select(item => item.grad!)],
                        [.. same.Select(item => item.Item3)]);
                }
            }

            private static void Update(Options options, long step, torch.Tensor[] parameters, torch.Tensor[] grads, State[] states)
            {
                double beta1 = options.beta1!.Value, beta2 = options.beta2!.Value, rate = options.LearningRate!.Value;
                double correction1 = 1 - Math.Pow(beta1, step), correction2 = 1 - Math.Pow(beta2, step);
                var mean = Array.ConvertAll(states, state => state.exp_avg);
                var square = Array.ConvertAll(states, state => state.exp_avg_sq);
                if (options.maximize == true)
                    grads = Aten.CallList("_foreach_neg", grads);

                if (options.amsgrad != true && Array.TrueForAll(parameters, IsPlain))
                {
                    FusedUpdate(parameters, grads, mean, square, new AdamWOptions
                    {
                        Beta1 = beta1,
                        Beta2 = beta2,
                        Decay = 1 - rate * options.weight_decay!.Value,
                        RootCorrection = Math.Sqrt(correction2),
                        Epsilon = options.eps!.Value,
                        Step = rate / correction1,
                    });
                    return;
                }
                Aten.Do("_foreach_mul_.Scalar", parameters, 1 - rate * options.weight_decay!.Value);
                Aten.Do("_foreach_mul_.Scalar", mean, beta1);
                Aten.Do("_foreach_add_.List", mean, grads, 1 - beta1);
                Aten.Do("_foreach_mul_.Scalar", square, beta2);
                Aten.Do("_foreach_addcmul_.Scalar", square, grads, grads, 1 - beta2);
                if (options.amsgrad == true)
                    square = Array.ConvertAll(states, state => state.Maximum());
                var denominator = Aten.CallList("_foreach_sqrt", square);
                Aten.Do("_foreach_div_.Scalar", denominator, Math.Sqrt(correction2));
                Aten.Do("_foreach_add_.Scalar", denominator, options.eps!.Value);
                Aten.Do("_foreach_addcdiv_.Scalar", parameters, mean, denominator, -rate / correction1);
            }

            private static bool IsPlain(torch.Tensor tensor)
            {
                var description = tensor.Describe();
                // A gradient has its parameter's type and device.
                return description is { DType: (int)torch.ScalarType.Float32, DeviceType: (int)DeviceType.CPU, Contiguous: 1 };
            }

            private static unsafe void FusedUpdate(torch.Tensor[] parameters, torch.Tensor[] grads, torch.Tensor[] mean,
                torch.Tensor[] square, AdamWOptions options)
            {
                fixed (IntPtr* p = torch.Tensor.Handles(parameters), g = torch.Tensor.Handles(grads),
                    m = torch.Tensor.Handles(mean), v = torch.Tensor.Handles(square))
                {
                    Native.Check(Native.ts_adamw(p, g, m, v, parameters.Length, &options));
                }
                GC.KeepAlive((parameters, grads, mean, square));
            }

            private static void Require(bool condition, string name, double value)
            {
                if (!condition)
                    throw new ArgumentException($"Invalid {name}: {value}");
            }

            /// <summary>The number of steps taken and the moving averages of the gradient and of its square.</summary>
            public sealed class State(Parameter parameter) : OptimizerState(parameter), IDisposable
            {
                public long step;
                public torch.Tensor exp_avg = null!;
                public torch.Tensor exp_avg_sq = null!;
                public torch.Tensor? max_exp_avg_sq;

                public void Dispose()
                {
                    exp_avg?.Dispose();
                    exp_avg_sq?.Dispose();
                    max_exp_avg_sq?.Dispose();
                }

                public override void Initialize(OptimizerOptions options)
                {
                    Dispose();
                    step = 0;
                    exp_avg = torch.zeros_like(_parameter).DetachFromDisposeScope();
                    exp_avg_sq = torch.zeros_like(_parameter).DetachFromDisposeScope();
                    max_exp_avg_sq = ((Options)options).amsgrad == true ? torch.zeros_like(_parameter).DetachFromDisposeScope() : null;
                }

                public override void to(torch.Device device)
                {
                    exp_avg = Moved(exp_avg, device)!;
                    exp_avg_sq = Moved(exp_avg_sq, device)!;
                    max_exp_avg_sq = Moved(max_exp_avg_sq, device);
                }

                public override void SaveStateDict(BinaryWriter writer)
                {
                    writer.Write(step);
                    exp_avg.Save(writer);
                    exp_avg_sq.Save(writer);
                    SaveOptional(writer, max_exp_avg_sq);
                }

                public override void LoadStateDict(BinaryReader reader)
                {
                    step = reader.ReadInt64();
                    exp_avg.Load(reader);
                    exp_avg_sq.Load(reader);
                    LoadOptional(reader, ref max_exp_avg_sq);
                }

                public override void LoadStateDict(OptimizerState source)
                {
                    var other = (State)source;
                    Dispose();
                    step = other.step;
                    exp_avg = Copied(other.exp_avg)!;
                    exp_avg_sq = Copied(other.exp_avg_sq)!;
                    max_exp_avg_sq = Copied(other.max_exp_avg_sq);
                }

                public override bool ApproximatelyEquals(OptimizerState other) =>
                    other is State state && step == state.step && exp_avg.allclose(state.exp_avg)
                    && exp_avg_sq.allclose(state.exp_avg_sq)
                    && (max_exp_avg_sq is null || max_exp_avg_sq.allclose(state.max_exp_avg_sq!));

                internal torch.Tensor Maximum()
                {
                    using var former = max_exp_avg_sq!;
                    return max_exp_avg_sq = former.maximum(exp_avg_sq).DetachFromDisposeScope();
                }
            }

            public class Options : OptimizerOptions
            {
                public double? beta1;
                public double? beta2;
                public double? weight_decay;
                public double? eps;
                public bool? amsgrad;
                public bool? maximize;

                public override void SaveStateDict(BinaryWriter writer)
                {
                    base.SaveStateDict(writer);
                    foreach (double? value in (ReadOnlySpan<double?>)[beta1, beta2, eps, weight_decay])
                        writer.Write(value!.Value);
                    writer.Write(amsgrad!.Value);
                    writer.Write(maximize!.Value);
                }

                public override void LoadStateDict(BinaryReader reader)
                {
                    base.LoadStateDict(reader);
                    (beta1, beta2) = (reader.ReadDouble(), reader.ReadDouble());
                    (eps, weight_decay) = (reader.ReadDouble(), reader.ReadDouble());
                    (amsgrad, maximize) = (reader.ReadBoolean(), reader.ReadBoolean());
                }

                public override void LoadStateDict(OptimizerOptions source)
                {
                    base.LoadStateDict(source);
                    var other = (Options)source;
                    (beta1, beta2, eps, weight_decay) = (other.beta1, other.beta2, other.eps, other.weight_decay);
                    (amsgrad, maximize) = (other.amsgrad, other.maximize);
                }

                internal void Complete(Options defaults)
                {
                    LearningRate ??= defaults.LearningRate;
                    beta1 ??= defaults.beta1;
                    beta2 ??= defaults.beta2;
                    eps ??= defaults.eps;
                    weight_decay ??= defaults.weight_decay;
                    amsgrad ??= defaults.amsgrad;
                    maximize ??= defaults.maximize;
                }
            }

            public class ParamGroup : ParamGroup<Options>, torch.optim.IBetas
            {
                public ParamGroup() { }

                public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                    : base(parameters, options) { }

                public ParamGroup(IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                    double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                    : base(parameters, new Options
                    {
                        LearningRate = lr,
                        beta1 = beta1,
                        beta2 = beta2,
                        eps = eps,
                        weight_decay = weight_decay,
                        amsgrad = amsgrad,
                        maximize = maximize,
                    })
                { }

                public (double, double) Betas
                {
                    get => (Options.beta1!.Value, Options.beta2!.Value);
                    set => (Options.beta1, Options.beta2) = value;
                }
            }
        }
    }
}
