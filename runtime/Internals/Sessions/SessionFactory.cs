using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Sampling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Creates the ONNX Runtime session of a package on the device that was asked for, or says why it cannot.</summary>
internal sealed partial class SessionFactory(ModelPackage package, LanguageModelOptions options)
{
    private readonly ILogger _logger = options.Logger ?? NullLogger.Instance;
    private readonly string? _library = OperatorLibrary.Find(options);

    public bool UsesLibrary => _library is not null;

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
                var pool = LoadOnCuda();
                Chosen(Device.Cuda, "a session runs there", _library ?? "none, standard operators");
                return pool;
            }
            catch (Exception e) when (e is NotSupportedException or OnnxRuntimeException or InvalidOperationException) // the last: its logits are no numbers
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
            var pool = Load(Device.Cpu, capture: false);
            Chosen(Device.Cpu, why, _library ?? "none, standard operators");
            return pool;
        }
        catch (OnnxRuntimeException e)
        {
            throw new CheckpointException(
                $"{package.ModelPath}: ONNX Runtime cannot load it: {e.Message} " +
                "The package is damaged or was made for another version: export it again.", e);
        }
    }

    // Steps are captured as CUDA graphs where ONNX Runtime can: a graph with any node elsewhere runs without.
    private SessionPool LoadOnCuda()
    {
        if (!options.PretendDevice && CudaSupport.Missing(_library) is { } missing)
        {
            throw new NotSupportedException(missing);
        }
        try
        {
            return Load(Device.Cuda, capture: !options.PretendDevice);
        }
        catch (OnnxRuntimeException e) when (!options.PretendDevice)
        {
            NotCaptured(e.Message);
            return Load(Device.Cuda, capture: false);
        }
    }

    /// <summary>A graph of its own that also gives its routers' choices, on a device where a session has run.</summary>
    public DecoderGraph CreateTracking(Device device, OnnxGraph graph)
    {
        using var settings = Prepared(device, capture: false);
        settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", package.Folder);
        byte[] model = OnnxGraph.WithOutputs(package.ModelPath, graph.Routers.Select(router => (router.Outputs[0], TensorElementType.Int32)));
        var session = new InferenceSession(model, settings);
        InferenceSession? selection = null;
        try
        {
            selection = SelectionFor(session, device);
            return new DecoderGraph(session, package, device, options, selection: selection);
        }
        catch
        {
            selection?.Dispose();
            session.Dispose();
            throw;
        }
    }

    private SessionPool Load(Device device, bool capture)
    {
        using var settings = Prepared(device, capture);
        var session = new InferenceSession(package.ModelPath, settings);
        InferenceSession? selection = null;
        SessionPool? pool = null;
        try
        {
            selection = SelectionFor(session, device);
            pool = new SessionPool(new DecoderGraph(session, package, device, options, capture, selection), options.MaxConcurrency);
            Probe(pool);
            return pool;
        }
        catch when (pool is null)
        {
            selection?.Dispose();
            session.Dispose();
            throw;
        }
        catch
        {
            pool!.Dispose(); // it owns the sessions, and frees what is bound to them first
            throw;
        }
    }

    // Settings of the decoder: the caller's further ones, then the operator library.
    private SessionOptions Prepared(Device device, bool capture)
    {
        var settings = Settings(device, capture);
        try
        {
            options.ConfigureSession?.Invoke(settings);
            if (_library is not null)
            {
                OperatorLibrary.CheckVersion(package.ModelPath);
                Register(settings, _library);
            }
            return settings;
        }
        catch
        {
            settings.Dispose();
            throw;
        }
    }

    // Tokens are chosen where the logits are, on a device.
    private InferenceSession? SelectionFor(InferenceSession decoder, Device device)
    {
        if (device != Device.Cuda || _library is null)
        {
            return null;
        }
        var logits = decoder.OutputMetadata.TryGetValue(package.Config.Logits, out var output) ? output.ElementDataType : TensorElementType.Float;
        using var settings = Settings(Device.Cuda, capture: false);
        Register(settings, _library!);
        return new InferenceSession(SelectionModel.Write(logits), settings);
    }

    private SessionOptions Settings(Device device, bool capture)
    {
        var settings = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        try
        {
            if (options.Threads is { } threads)
            {
                settings.IntraOpNumThreads = threads;
            }
            if (device == Device.Cuda && !options.PretendDevice)
            {
                using var cuda = new OrtCUDAProviderOptions();
                cuda.UpdateOptions(new() { ["enable_cuda_graph"] = capture ? "1" : "0", ["use_tf32"] = "0" });
                settings.AppendExecutionProvider_CUDA(cuda);
            }
            return settings;
        }
        catch
        {
            settings.Dispose();
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
            if (first.Selects)
            {
                using var sampler = new Sampler(GenerationOptions.Greedy, pool.Graph.Vocabulary);
                first.BeginSelection(GenerationOptions.Greedy);
                first.PrefillAndSelect([0], sampler);
                first.StepAndSelect(sampler);
                first.Rewind(0);
            }
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Steps are not captured as CUDA graphs: {Why}")]
    private partial void NotCaptured(string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Running on {Device} ({Why}); operator library: {Library}")]
    private partial void Chosen(Device device, string why, string library);
}
