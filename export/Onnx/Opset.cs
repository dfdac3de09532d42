namespace LatentMoE.Export.Onnx;

/// <summary>The versions that a package asks of its consumer: as old as the bodies allow, so that old runtimes load it too.</summary>
internal static class Opset
{
    public const long Ir = 8, Onnx = 18, LatentMoE = 1, Microsoft = 1;
    public const string LatentMoEDomain = "latentmoe", MicrosoftDomain = "com.microsoft";
}
