// Guards that set a mode of the native library and put the former one back when they are disposed.
namespace TorchSharp.Internals;

internal sealed class GradMode : IDisposable
{
    private readonly int _former = Native.ts_grad_enabled();

    public GradMode(bool enabled) => Native.ts_set_grad_enabled(enabled ? 1 : 0);

    public void Dispose() => Native.ts_set_grad_enabled(_former);
}

internal sealed class InferenceMode(bool enabled) : IDisposable
{
    private IntPtr _guard = Native.ts_enter_inference_mode(enabled ? 1 : 0);

    public static bool IsEnabled => Native.ts_inference_mode_enabled() != 0;

    public void Dispose() => Native.ts_leave_inference_mode(Interlocked.Exchange(ref _guard, 0));
}
