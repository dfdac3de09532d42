// Moving a module to another element type or device: its parameters are replaced, in its fields too.
using TorchSharp.Internals;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            internal Module MoveTo(ScalarType? dtype, Device? device)
            {
                if (dtype is { } type && !torch.is_floating_point(type) && !torch.is_complex(type))
                {
                    throw new ArgumentException(
                        $"nn.Module.to only accepts floating point or complex types, but got desired dtype={type}");
                }
                if (device is { type: DeviceType.CUDA } && !cuda.is_available())
                    throw new InvalidOperationException("CUDA is not available.");
                Convert(dtype, device);
                return this;
            }

            private void Convert(ScalarType? dtype, Device? device)
            {
                foreach (var (_, module) in named_children())
                    module.Convert(dtype, device);
                foreach (var (name, parameter) in _parameters.ToList())
                {
                    if (Replacement(parameter, dtype, device) is not { } replacement)
                        continue;
                    _parameters.Set(name, replacement);
                    ModuleFields.Replace(this, name, parameter, replacement);
                    parameter.Dispose();
                }
                foreach (var (name, (buffer, persistent)) in _buffers.ToList())
                {
                    var type = torch.is_floating_point(buffer.dtype) ? dtype : null;
                    if (!buffer.WillCopy(type, device))
                        continue;
                    var replacement = buffer.to(type ?? buffer.dtype, device ?? buffer.device).DetachFromDisposeScope();
                    _buffers.Set(name, (replacement, persistent));
                    ModuleFields.Replace(this, name, buffer, replacement);
                    buffer.Dispose();
                }
            }

            private static Parameter? Replacement(Parameter parameter, ScalarType? dtype, Device? device)
            {
                using var grad = parameter.grad;
                var type = torch.is_floating_point(parameter.dtype) ? dtype : null;
                if (!parameter.WillCopy(type, device) && grad?.WillCopy(type, device) != true)
                    return null;
                using var mode = no_grad();
                var data = parameter.to(type ?? parameter.dtype, device ?? parameter.device);
                var replacement = new Parameter(data, parameter.requires_grad);
                replacement.DetachFromDisposeScope();
                using var moved = grad?.to(type ?? grad.dtype, device ?? grad.device);
                replacement.grad = moved;
                return replacement;
            }
        }
    }
}

public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module =>
        (T)module.MoveTo(type, null);

    public static T to<T>(this T module, torch.Device device, bool non_blocking = false) where T : torch.nn.Module =>
        (T)module.MoveTo(null, device);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.MoveTo(type, device);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.MoveTo(null, new torch.Device(deviceType, deviceIndex));

    public static T to<T>(this T module, string device, bool non_blocking = false) where T : torch.nn.Module =>
        (T)module.MoveTo(null, new torch.Device(device));

    public static T to<T>(this T module, torch.Tensor other, bool non_blocking = false) where T : torch.nn.Module =>
        (T)module.MoveTo(other.dtype, other.device);

    public static T cpu<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => module.to(torch.CPU);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module =>
        module.to(DeviceType.CUDA, deviceIndex);

    public static T half<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
        module.to(torch.ScalarType.Float16);

    public static T bfloat16<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
        module.to(torch.ScalarType.BFloat16);

    public static T @float<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
        module.to(torch.ScalarType.Float32);

    public static T @double<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
        module.to(torch.ScalarType.Float64);
}
