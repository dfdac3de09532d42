// A tensor: an owned reference to a native tensor, released by Dispose, by the dispose scope it was made in, or by its finalizer.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor : IDisposable
    {
        private static long _totalCount;
        private static long _peakCount;

        internal IntPtr handle;

        internal Tensor(IntPtr handle, bool register = true)
        {
            this.handle = handle;
            long total = Interlocked.Increment(ref _totalCount);
            if (total > _peakCount)
                _peakCount = total;
            if (register)
                OwningDisposeScope = DisposeScopeManager.ThreadSingleton.RegisterOnCurrentDisposeScope(this);
        }

        ~Tensor() => Dispose(false);

        /// <summary>The number of live managed tensors of the process.</summary>
        public static long TotalCount => Interlocked.Read(ref _totalCount);

        public static long PeakCount => Interlocked.Read(ref _peakCount);

        /// <summary>The native handle; throws <see cref="InvalidOperationException"/> where the tensor has been disposed.</summary>
        public IntPtr Handle => handle != 0 ? handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        /// <summary>True where the tensor has been disposed or its handle has moved to a parameter.</summary>
        public bool IsInvalid => handle == 0;

        /// <summary>A name for debugging; nothing reads it.</summary>
        public string? name { get; set; }

        internal DisposeScope? OwningDisposeScope { get; set; }

        public static Tensor UnsafeCreateTensor(IntPtr handle) => new(handle);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            IntPtr released = Interlocked.Exchange(ref handle, 0);
            if (released == 0)
                return;
            if (disposing)
            {
                DisposeScopeManager.ThreadSingleton.DisposingOnCurrentScope(this);
                OwningDisposeScope?.MarkAsDisposed(this);
            }
            Interlocked.Decrement(ref _totalCount);
            Native.ts_release(released);
        }

        /// <summary>Moves the tensor to the scope around the one that owns it; without one, out of the dispose scopes.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        /// <summary>Takes the tensor out of the dispose scopes: its owner disposes it.</summary>
        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is not null)
                OwningDisposeScope.MoveToOther(other, this);
            else
                other?.Attach(this);
            return this;
        }

        /// <summary>Gives the native tensor up to the caller, who then owns its handle.</summary>
        public IntPtr DecoupleFromNativeHandle()
        {
            GC.SuppressFinalize(this);
            IntPtr released = Handle;
            handle = 0;
            Interlocked.Decrement(ref _totalCount);
            return released;
        }

        /// <summary>A further reference to the same native tensor.</summary>
        public Tensor alias()
        {
            var result = new Tensor(Native.ts_retain(Handle));
            GC.KeepAlive(this);
            return result;
        }

        /// <summary>Empties this object in favour of one that takes the handle over.</summary>
        internal IntPtr MoveHandle()
        {
            GC.SuppressFinalize(this);
            Interlocked.Decrement(ref _totalCount);
            return Interlocked.Exchange(ref handle, 0);
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        /// <summary>Whether both have the same shape and values.</summary>
        public bool Equals(Tensor target) => Aten.Truth("equal", this, target);

        public override int GetHashCode() => base.GetHashCode();
    }
}
