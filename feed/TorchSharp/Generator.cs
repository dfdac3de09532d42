// A random-number generator, and the functions of torch and torch.random that act on the default one.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public static long seed() => random.seed();

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static long initial_seed() => random.initial_seed();

    /// <summary>The state of the default CPU generator, a tensor of bytes.</summary>
    public static Tensor get_rng_state() => random.get_rng_state();

    public static void set_rng_state(Tensor new_state) => random.set_rng_state(new_state);

    public static partial class random
    {
        public static long seed() => Generator.Default.seed();

        public static long initial_seed() => Generator.Default.initial_seed();

        /// <summary>Seeds the generators of all devices.</summary>
        public static Generator manual_seed(long seed)
        {
            Native.Check(Native.ts_manual_seed(seed));
            return Generator.Default;
        }

        public static Tensor get_rng_state() => Generator.Default.get_state();

        public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);
    }

    public class Generator : IDisposable
    {
        public Generator(ulong seed = 0, Device? device = null)
            : this(Create((long)seed, device ?? CPU), device ?? CPU) { }

        private Generator(IntPtr handle, Device device)
        {
            Handle = handle;
            this.device = device;
        }

        ~Generator() => Dispose(false);

        public static Generator Default
        {
            get
            {
                Native.Check(Native.ts_default_generator(out var handle));
                return new Generator(handle, CPU);
            }
        }

        public IntPtr Handle { get; private set; }

        public Device device { get; private set; }

        public Tensor get_state()
        {
            Native.Check(Native.ts_generator_state(Handle, out var state));
            GC.KeepAlive(this);
            return new Tensor(state);
        }

        public void set_state(Tensor value)
        {
            Native.Check(Native.ts_set_generator_state(Handle, value.Handle));
            GC.KeepAlive(value);
            GC.KeepAlive(this);
        }

        public Generator manual_seed(long seed)
        {
            Native.Check(Native.ts_set_generator_seed(Handle, seed));
            return this;
        }

        public long seed()
        {
            long seed = DateTime.UtcNow.Ticks;
            manual_seed(seed);
            return seed;
        }

        public long initial_seed()
        {
            Native.Check(Native.ts_generator_seed(Handle, out long seed));
            GC.KeepAlive(this);
            return seed;
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (Handle == 0)
                return;
            Native.ts_release_generator(Handle);
            Handle = 0;
        }

        private static IntPtr Create(long seed, Device device)
        {
            if (device.type != DeviceType.CPU)
                throw new NotSupportedException($"A generator of its own is made for the CPU only, not for {device}.");
            Native.Check(Native.ts_new_generator(seed, out var handle));
            return handle;
        }
    }
}
