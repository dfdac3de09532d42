using LatentMoE.Export.Parity;

namespace LatentMoE.Export;

/// <summary>A published package.</summary>
/// <param name="Folder">Its folder.</param>
/// <param name="Files">All files but the manifest, which holds this list.</param>
/// <param name="Parity">Null where the checkpoint has no reference logits to compare with.</param>
/// <param name="Checkpoint">What was read of the checkpoint; null for random weights.</param>
public sealed record ExportResult(string Folder, IReadOnlyList<HashedFile> Files, ParityReport? Parity, CheckpointSummary? Checkpoint = null);
