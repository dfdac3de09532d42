// Options of a group of parameters, and the state that an optimizer keeps for one parameter.
namespace TorchSharp.Modules;

public class OptimizerOptions
{
    public double? LearningRate { get; set; }

    public double InitialLearningRate { get; set; }

    public virtual void SaveStateDict(BinaryWriter writer)
    {
        writer.Write(InitialLearningRate);
        writer.Write(LearningRate!.Value);
    }

    public virtual void LoadStateDict(BinaryReader reader)
    {
        InitialLearningRate = reader.ReadDouble();
        LearningRate = reader.ReadDouble();
    }

    public virtual void LoadStateDict(OptimizerOptions source)
    {
        InitialLearningRate = source.InitialLearningRate;
        LearningRate = source.LearningRate;
    }
}

public abstract class OptimizerState(Parameter parameter)
{
    protected Parameter _parameter = parameter;

    public abstract void Initialize(OptimizerOptions options);

    public abstract void SaveStateDict(BinaryWriter writer);

    public abstract void LoadStateDict(BinaryReader reader);

    public abstract void LoadStateDict(OptimizerState source);

    public virtual bool ApproximatelyEquals(OptimizerState other) => false;

    public virtual void to(torch.Device device) { }

    /// <summary>Moves a tensor of the state, which no dispose scope may own.</summary>
    private protected static torch.Tensor? Moved(torch.Tensor? tensor, torch.Device device)
    {
        if (tensor is null || !tensor.WillCopy(null, device))
            return tensor;
        return tensor.to(device, disposeAfter: true).DetachFromDisposeScope();
    }

    private protected torch.Tensor? Copied(torch.Tensor? tensor) =>
        tensor?.to(_parameter.device, copy: true).DetachFromDisposeScope();

    private protected static void SaveOptional(BinaryWriter writer, torch.Tensor? tensor)
    {
        writer.Write(tensor is not null);
        tensor?.Save(writer);
    }

    private protected void LoadOptional(BinaryReader reader, ref torch.Tensor? tensor)
    {
        if (!reader.ReadBoolean())
        {
            tensor?.Dispose();
            tensor = null;
            return;
        }
        tensor ??= torch.zeros_like(_parameter).DetachFromDisposeScope();
        tensor.Load(reader);
    }
}

public class ParamGroup : torch.optim.ILearningRateController
{
    public IEnumerable<Parameter> Parameters { get; set; } = [];

    public OptimizerOptions Options { get; set; } = null!;

    public double LearningRate
    {
        get => Options.LearningRate!.Value;
        set => Options.LearningRate = value;
    }

    public double InitialLearningRate
    {
        get => Options.InitialLearningRate;
        set => Options.InitialLearningRate = value;
    }
}

public class ParamGroup<TOptions> : ParamGroup where TOptions : OptimizerOptions
{
    public ParamGroup() { }

    public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
    {
        Parameters = parameters;
        base.Options = options!;
    }

    public new TOptions Options
    {
        get => (TOptions)base.Options;
        set => base.Options = value;
    }
}
