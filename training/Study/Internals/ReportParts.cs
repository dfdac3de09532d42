using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>A table of a report.</summary>
internal sealed record ReportTable(IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A chart; reports in Markdown leave charts out, and their tables have the figures.</summary>
internal sealed record ReportChart(string Title, string XLabel, IReadOnlyList<Curve> Curves);

/// <summary>A part of a report under its heading: sentences, then tables, then charts.</summary>
internal sealed record ReportSection(string Heading, IReadOnlyList<string> Sentences, IReadOnlyList<ReportTable> Tables, IReadOnlyList<ReportChart> Charts);
