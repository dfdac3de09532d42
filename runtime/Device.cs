namespace LatentMoE.Runtime;

/// <summary>Where a model runs.</summary>
public enum Device
{
    /// <summary>CUDA when a session really runs there, else the CPU; the log says which and why.</summary>
    Auto,

    /// <summary>ONNX Runtime's CPU provider.</summary>
    Cpu,

    /// <summary>ONNX Runtime's CUDA provider; loading fails where it cannot run.</summary>
    Cuda,
}
