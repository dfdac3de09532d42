// Settings of the process: threads, default element type and device, gradient mode, dispose scopes.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    private const int ThreadsSet = 0, ThreadsGet = 1, InteropSet = 2, InteropGet = 3;

    private static ScalarType _defaultType = ScalarType.Float32;
    private static Device _defaultDevice = new(DeviceType.CPU);

    public static void set_num_threads(int num) => Threads(ThreadsSet, num);

    public static int get_num_threads() => Threads(ThreadsGet, 0);

    public static void set_num_interop_threads(int num) => Threads(InteropSet, num);

    public static int get_num_interop_threads() => Threads(InteropGet, 0);

    public static ScalarType get_default_dtype() => _defaultType;

    public static void set_default_dtype(ScalarType dtype) => _defaultType = dtype;

    public static Device get_default_device() => _defaultDevice;

    public static void set_default_device(Device device) => _defaultDevice = device;

    public static void set_default_device(string device) => _defaultDevice = new Device(device);

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.ThreadSingleton.NewDisposeScope();

    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.ThreadSingleton.CurrentDisposeScope;

    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static bool is_grad_enabled() => Native.ts_grad_enabled() != 0;

    public static bool is_inference_mode_enabled() => InferenceMode.IsEnabled;

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static partial class backends
    {
        public static partial class cuda
        {
            public static partial class matmul
            {
                public static bool allow_tf32
                {
                    get
                    {
                        Native.Check(Native.ts_allow_tf32(-1, out int result));
                        return result != 0;
                    }
                    set => Native.Check(Native.ts_allow_tf32(value ? 1 : 0, out _));
                }
            }
        }
    }

    private static int Threads(int operation, int count)
    {
        Native.Check(Native.ts_threads(operation, count, out int result));
        return result;
    }
}
