using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Creates the ONNX Runtime session of a package on the device that was asked for, or says why it cannot.</summary>
internal sealed partial class SessionFactory(ModelPackage package, LanguageModelOptions options)
{
    private readonly ILogger _logger = options.Logger ?? NullLogger.Instance;
    private readonly string? _library = OperatorLibrary.Find(options);

    /// <summary>Sessions on a device where one has really run.</summary>
    /// <exception cref="CheckpointException">The model or the operator library cannot be loaded.</exception>
    /// <exception cref="NotSupportedException">CUDA was asked for and cannot run.</exception>
    public SessionPool Create()
    {
        string why = options.Device == Device.Cpu ? "as asked for" : "";
        if (options.Device != Device.Cpu)
        {
            try
            {
                if (!NvidiaDriver.IsPresent)
                {
                    throw new NotSupportedException("no NVIDIA driver is installed (libcuda.so.1 cannot be loaded)");
                }
                var pool = Load(Device.Cuda);
                Chosen(Device.Cuda, "a session runs there", LibraryFor(Device.Cuda) ?? "none, standard operators");
                return pool;
            }
            catch (Exception e) when (e is NotSupportedException or OnnxRuntimeException)
            {
                if (options.Device == Device.Cuda)
                {
                    throw new NotSupportedException(
                        $"CUDA cannot be used: {e.Message}. Install the NVIDIA driver and CUDA 13 with cuDNN 9, or use Device.Cpu.", e);
                }
                why = $"CUDA cannot be used: {e.Message}";
            }
        }
        try
        {
            var pool = Load(Device.Cpu);
            Chosen(Device.Cpu, why, LibraryFor(Device.Cpu) ?? "none, standard operators");
            return pool;
        }
        catch (OnnxRuntimeException e)
        {
            throw new CheckpointException(
                $"{package.ModelPath}: ONNX Runtime cannot load it: {e.Message} " +
                "The package is damaged or was made for another version: export it again.", e);
        }
    }

    // The library that comes along has kernels for the CPU: in a CUDA session they would bring the cache back at every step.
    private string? LibraryFor(Device device) => device == Device.Cpu || options.OperatorLibrary is not null ? _library : null;

    private SessionPool Load(Device device)
    {
        using var settings = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (options.Threads is { } threads)
        {
            settings.IntraOpNumThreads = threads;
        }
        if (device == Device.Cuda)
        {
            settings.AppendExecutionProvider_CUDA();
        }
        options.ConfigureSession?.Invoke(settings);
        if (LibraryFor(device) is { } library)
        {
            OperatorLibrary.CheckVersion(package.ModelPath);
            Register(settings, library);
        }
        var session = new InferenceSession(package.ModelPath, settings);
        SessionPool? pool = null;
        try
        {
            pool = new SessionPool(new DecoderGraph(session, package, device, options), options.MaxConcurrency);
            Probe(pool);
            return pool;
        }
        catch
        {
            // The pool owns the session, and frees what is bound to it first.
            ((IDisposable?)pool ?? session).Dispose();
            throw;
        }
    }

    // A session that was created may still fail to run, at all or as far as its configuration says.
    private void Probe(SessionPool pool)
    {
        var first = pool.Rent(CancellationToken.None);
        try
        {
            first.Step(0);
            first.Rewind(0);
            ProbeEnd(first, pool.Graph.Device);
        }
        finally
        {
            pool.Return(first);
        }
    }

    private void ProbeEnd(DecoderSession session, Device device)
    {
        try
        {
            session.StepAtTheEnd();
        }
        catch (OnnxRuntimeException e) when (device == Device.Cpu) // elsewhere the device may be at fault
        {
            throw package.WrongContext($"the graph fails at position {session.ContextLength - 1}: {e.Message.Trim()}", e);
        }
    }

    private static void Register(SessionOptions settings, string library)
    {
        try
        {
            settings.RegisterCustomOpLibrary(library);
        }
        catch (OnnxRuntimeException e)
        {
            throw new CheckpointException(
                $"{library}: ONNX Runtime cannot register it: {e.Message} " +
                $"Build it again, or set {nameof(LanguageModelOptions.UseOperatorLibrary)} to false.", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Running on {Device} ({Why}); operator library: {Library}")]
    private partial void Chosen(Device device, string why, string library);
}
