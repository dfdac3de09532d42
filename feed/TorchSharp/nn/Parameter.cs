// A tensor that a module trains.
namespace TorchSharp
{
    namespace Modules
    {
        public class Parameter : torch.Tensor
        {
            /// <summary>Takes the data over: the tensor given is empty afterwards, and its dispose scope owns the parameter.</summary>
            public Parameter(torch.Tensor data, bool requires_grad = true)
                : base(data.with_requires_grad(requires_grad).MoveHandle(), false) => DisposeScope.Replace(data, this);
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}
