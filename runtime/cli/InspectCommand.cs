using System.CommandLine;
using System.Text.Json.Nodes;
using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe inspect</c>: what a package holds and whether its files are those that were exported.</summary>
internal static class InspectCommand
{
    private static readonly Option<bool> Json = ModelArguments.Of<bool>("--json", "Prints one JSON object.");

    public static Command Create()
    {
        var command = new Command("inspect", "Prints a package's parameters, products and memory a token, its graph, and checks its files against the manifest.")
        {
            ModelArguments.Model, Json,
        };
        command.SetAction(arguments => Run(arguments.GetValue(ModelArguments.Model)!, arguments.GetValue(Json)));
        return command;
    }

    private static int Run(string folder, bool json)
    {
        var info = PackageInfo.Read(folder);
        var files = PackageInfo.CheckFiles(info.Folder).ToList();
        if (json)
        {
            JsonOutput.Print(Describe(info, files));
        }
        else
        {
            Model(info).Print();
            Graph(info).Print();
            Files(files).Print();
        }
        return files.Any(IsWrong) ? 1 : 0;
    }

    private static bool IsWrong(PackageFile file) => file.State is PackageFileState.Differs or PackageFileState.Missing;

    private static Figures Model(PackageInfo info)
    {
        var (memory, figures) = (info.Memory, new Figures(info.Folder));
        figures.Add("Parameters", $"{info.Parameters:N0}, {info.ActiveParameters:N0} active a token");
        figures.Add("Products a token", $"{info.FlopsPerToken / 1e6:0.00} MFLOP forward, with an empty cache");
        figures.Add("Experts", info.Experts is { } e ? $"{e.TopK} of {e.Experts} routed, in {e.Layers} of {info.Layers} layers" : "none");
        figures.Add("Context, vocabulary", $"{info.ContextLength:N0}, {info.VocabularySize:N0}");
        figures.Add("Precision", $"weights {info.Precision ?? "unknown"}, activations {info.Activations}, cache {info.Cache}");
        figures.Add("Weights", $"{memory.Weights:N0} bytes");
        MemoryFigures.AddCache(figures, memory);
        return figures;
    }

    private static Figures Graph(PackageInfo info)
    {
        var figures = new Figures("Graph");
        figures.Add("Written by", info.Producer);
        var versions = info.OperatorSets.OrderBy(set => set.Key, StringComparer.Ordinal).Select(set => $"{set.Key} {set.Value}");
        figures.Add("Versions", string.Join(", ", versions.Prepend($"IR {info.IrVersion}")));
        var nodes = info.Operators.OrderByDescending(o => o.Value).ThenBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Value} {o.Key}");
        figures.Add("Nodes", string.Join(", ", nodes));
        figures.Add("With bodies", info.Bodies.Count == 0 ? "none" : string.Join(", ", info.Bodies));
        figures.Add("Operator library", info.OperatorLibrary ?? "none found: the bodies run");
        return figures;
    }

    private static Figures Files(List<PackageFile> files)
    {
        int intact = files.Count(file => file.State == PackageFileState.Intact), wrong = files.Count(IsWrong);
        var figures = new Figures("Files");
        figures.Add("Manifest", intact + wrong == 0 ? "none: nothing to compare with"
            : wrong == 0 ? $"OK: {intact} files have its SHA-256"
            : $"{wrong} of {intact + wrong} files differ");
        foreach (var file in files.Where(file => file.State != PackageFileState.Intact))
        {
            figures.Add(file.Name, file.State switch
            {
                PackageFileState.Missing => "missing: copy the package again, or export it again",
                PackageFileState.Differs => "differs from the manifest: copy the package again, or export it again",
                _ => "not in the manifest",
            });
        }
        return figures;
    }

    private static JsonObject Describe(PackageInfo info, List<PackageFile> files) => new()
    {
        ["folder"] = info.Folder,
        ["parameters"] = info.Parameters,
        ["active_parameters"] = info.ActiveParameters,
        ["flops_per_token"] = info.FlopsPerToken,
        ["layers"] = info.Layers,
        ["context_length"] = info.ContextLength,
        ["vocabulary_size"] = info.VocabularySize,
        ["experts"] = info.Experts is { } e ? new JsonObject { ["layers"] = e.Layers, ["experts"] = e.Experts, ["top_k"] = e.TopK } : null,
        ["precision"] = info.Precision,
        ["activations"] = info.Activations,
        ["cache"] = info.Cache,
        ["memory"] = MemoryFigures.Json(info.Memory),
        ["graph"] = new JsonObject
        {
            ["producer"] = info.Producer,
            ["ir_version"] = info.IrVersion,
            ["operator_sets"] = new JsonObject(info.OperatorSets.Select(set => KeyValuePair.Create(set.Key, (JsonNode?)set.Value))),
            ["operators"] = new JsonObject(info.Operators.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)o.Value))),
            ["bodies"] = new JsonArray([.. info.Bodies.Select(body => (JsonNode)body)]),
        },
        ["operator_library"] = info.OperatorLibrary,
        ["intact"] = !files.Any(IsWrong),
        ["files"] = new JsonArray([.. files.Select(f => new JsonObject { ["name"] = f.Name, ["size"] = f.Size, ["state"] = JsonOutput.Name(f.State) })]),
    };
}
