// The pipeline's targets. Each does what it depends on first; the work itself is in the programs that it starts.
#load "feed/restore.cake"
#load "training/Study/study.cake"
#load "tests/benchmarks/bench.cake"
#load "tests/gpu-bundle/gpu-bundle.cake"

var target = Argument("target", "Export");
bool Is(string name) => target.Equals(name, StringComparison.OrdinalIgnoreCase);

string[] trainingArguments = ["preset", "twin", "data", "steps", "minutes", "batch", "learning-rate", "dropout", "seed", "dtype", "device", "report"];
string[] runtimeArguments = ["device", "threads", "operators", "json"];
string[] samplingArguments = ["max-tokens", "temperature", "top-k", "top-p", "min-p", "typical-p", "repetition-penalty", "presence-penalty", "frequency-penalty", "logit-bias", "seed", "stop", "stop-token", "greedy", "ignore-eos", "json-schema", .. runtimeArguments];
string[] promptArguments = ["prompt", "echo", "logprobs"];
string[] chatArguments = ["system", "chat-template", "draft-tokens", .. samplingArguments];
string[] serverArguments = ["port", "host", "api-key", "api-keys", "cors", "name", "chat-template", "max-rows", "cache-memory", "prefix-cache", "queue", "draft-tokens", "no-experts", "max-prompt-tokens", "max-tokens", "request-timeout", "drain-timeout", .. runtimeArguments];
string[] evaluationArguments = ["window", "stride", "max-tokens", .. runtimeArguments];
string[] typeArguments = ["precision", "activations", "cache"];
string[] randomArguments = ["random-weights", "preset", "twin", "seed"];
string[] packageArguments = ["model", "preset", "twin", .. typeArguments];
string[] flags = ["random-weights", "greedy", "ignore-eos", "echo", "json", "no-experts", "gradient-checkpointing"];

// What each target understands; anything else would be silently without effect, so it stops the run.
var understood = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase)
{
    ["Restore"] = [], ["Build"] = [], ["Clean"] = [],
    ["Train"] = [.. trainingArguments, "output"],
    ["Export"] = [.. HasArgument("checkpoint") ? ["checkpoint", "prompt"] : HasArgument("random-weights") ? randomArguments : [.. trainingArguments, "prompt"], .. typeArguments, "output"],
    ["Generate"] = [.. samplingArguments, .. promptArguments, .. packageArguments],
    ["Chat"] = [.. chatArguments, .. packageArguments],
    ["Serve"] = [.. serverArguments, .. packageArguments],
    ["Evaluate"] = HasArgument("model") ? ["model", "data", .. evaluationArguments] : ["checkpoint", "preset", "twin", "data", "device"],
    ["Inspect"] = HasArgument("model") ? ["model", "json"] : HasArgument("checkpoint") ? ["checkpoint"] : ["preset", "twin"],
    ["Study"] = [.. studyArguments, "output", "plan", "keep"],
    ["Bench"] = benchArguments, ["BenchServing"] = servingArguments, ["BenchTraining"] = benchTrainingArguments, ["BenchTokenizer"] = benchTokenizerArguments, ["GpuBundle"] = gpuBundleArguments,
    ["Test"] = ["filter"], ["Soak"] = ["seconds"], ["Pack"] = ["package-version", "output"],
};

public record Paths(DirectoryPath Checkpoint, DirectoryPath Package, DirectoryPath TestResults);

Setup<Paths>(context =>
{
    string[] known = ["target", "cuda", "feed", .. understood[target]];
    var unknown = context.Arguments.GetArguments().Keys.Except(known, StringComparer.OrdinalIgnoreCase).ToArray();
    if (unknown.Length > 0)
    {
        throw new CakeException($"{target} knows no argument --{unknown[0]}; it takes {string.Join(", ", known.Order().Select(key => "--" + key))}");
    }
    if (HasArgument("cuda"))
    {
        // MSBuild reads it.
        System.Environment.SetEnvironmentVariable("CudaProvider", "true");
    }
    var preset = System.IO.Path.GetFileNameWithoutExtension(Argument("preset", "tiny"));
    var name = HasArgument("twin") ? $"{preset}-{Argument<string>("twin")}" : preset;
    var activations = Argument("activations", "f32");
    var precision = Argument("precision", activations);
    var cache = Argument("cache", activations);
    // Said before a training that would end in the same error.
    foreach (var (argument, value, allowed) in new[] { ("activations", activations, new[] { "f32", "f16", "bf16" }), ("precision", precision, ["f32", "f16", "bf16", "int8", "int4"]), ("cache", cache, activations == "f32" ? ["f32", "f16"] : [activations]) })
    {
        if (!allowed.Contains(value) && !Is("Bench") && !Is("GpuBundle"))
        {
            throw new CakeException($"--{argument}={value} is not supported; {string.Join(", ", allowed)} are");
        }
    }
    if (Is("Export") && activations != "f32" && !new[] { activations, "int8", "int4" }.Contains(precision))
    {
        throw new CakeException($"--precision={precision} does not go with --activations={activations}; {activations}, int8 and int4 do");
    }
    var checkpoint = MakeAbsolute(Directory(HasArgument("checkpoint") ? Argument<string>("checkpoint")
        : Is("Train") && HasArgument("output") ? Argument<string>("output") : $"artifacts/checkpoints/{name}"));
    var package = MakeAbsolute(Directory(HasArgument("model") ? Argument<string>("model")
        : !Is("Train") && HasArgument("output") ? Argument<string>("output") : $"artifacts/models/{(HasArgument("random-weights") ? name + "-random" : checkpoint.GetDirectoryName())}-{precision}{(activations == "f32" ? "" : $"-activations-{activations}")}{(cache == activations ? "" : $"-cache-{cache}")}"));
    return new Paths(checkpoint, package, MakeAbsolute(Directory("artifacts/test-results")));
});

Task("Build")
    .Description("Builds every project.")
    .IsDependentOn("Restore")
    .Does(() =>
{
    Compiler();
    Run("dotnet", ["build", "Pipeline.sln", "--configuration", "Release", "--no-restore", "--nologo", "--verbosity", "quiet"]);
});

Task("Train")
    .Description("Trains a model into a checkpoint folder; resumes what was interrupted. --preset= --twin= --data= --steps= --minutes= --seed= --device= --output=")
    .IsDependentOn("Build")
    .WithCriteria(() => !(Is("Export") && HasArgument("checkpoint")), "a checkpoint was named")
    .WithCriteria(() => !(Is("Export") && HasArgument("random-weights")), "the weights are random")
    .Does<Paths>(paths => RunProgram("training/bin/Release/net10.0/LatentMoE.Training.dll",
        ["train", "--output", paths.Checkpoint.FullPath, .. Passed(trainingArguments)]));

Task("Export")
    .Description("Exports a checkpoint (trained first, if need be) to an ONNX package, checks it, prints a sample; or makes up the weights of a preset. --checkpoint= --precision= --activations= --cache= --output= --random-weights --preset=")
    .IsDependentOn("Train")
    .Does<Paths>(paths =>
{
    RunProgram("export/bin/Release/net10.0/LatentMoE.Export.dll",
        ["export", .. HasArgument("random-weights") ? Passed(randomArguments) : ["--checkpoint", paths.Checkpoint.FullPath],
        "--output", paths.Package.FullPath, .. Passed(typeArguments)]);
    if (HasArgument("random-weights"))
    {
        return;
    }
    Information("");
    RunProgram("runtime/cli/bin/Release/net10.0/latentmoe.dll",
        ["generate", "--model", paths.Package.FullPath, "--prompt", Argument("prompt", "Once upon a time"), "--max-tokens", "120", "--temperature", "0.7", "--seed", "1", "--echo"]);
});

Task("Generate")
    .Description("Writes text with an exported package. --model= --prompt= --max-tokens= --temperature= --top-k= --top-p= --min-p= --repetition-penalty= --seed= --stop=")
    .IsDependentOn("Build")
    .Does<Paths>(paths => RunPackage("generate", paths, [.. HasArgument("prompt") ? Array.Empty<string>() : ["--prompt", "Once upon a time"], .. Passed([.. promptArguments, .. samplingArguments])]));

Task("Chat")
    .Description("Talks with an exported package that has a chat template. --model= --system= --chat-template= --draft-tokens=, and those of Generate")
    .IsDependentOn("Build")
    .Does<Paths>(paths => RunPackage("chat", paths, Passed(chatArguments)));

Task("Serve")
    .Description("Serves an exported package over HTTP, as OpenAI's clients expect it. --model= --port= --host= --api-keys= --cors= --max-rows= --cache-memory= --queue= --draft-tokens=")
    .IsDependentOn("Build")
    .Does<Paths>(paths => RunPackage("serve", paths, Passed(serverArguments)));

Task("Evaluate")
    .Description("Measures held-out loss, perplexity and bits per byte of a checkpoint, or those of a package over a text. --checkpoint= --data=; --model= --data=FILE --window= --stride= --max-tokens=")
    .IsDependentOn("Build")
    .Does<Paths>(paths =>
{
    if (!HasArgument("model"))
    {
        RunProgram("training/bin/Release/net10.0/LatentMoE.Training.dll", ["evaluate", "--checkpoint", paths.Checkpoint.FullPath, .. Passed(["data", "device"])]);
        return;
    }
    if (!HasArgument("data"))
    {
        throw new CakeException("Evaluate --model= needs --data=FILE, the text to measure on");
    }
    RunPackage("eval", paths, ["--text", Argument<string>("data"), .. Passed(evaluationArguments)]);
});

Task("Inspect")
    .Description("Prints parameters, FLOPs and cache bytes per token of a preset or a checkpoint; those of a package, its graph, and a check of its files. --preset= --twin=; --checkpoint=; --model=")
    .IsDependentOn("Build")
    .Does<Paths>(paths =>
{
    if (HasArgument("model"))
    {
        RunPackage("inspect", paths, Passed(["json"]));
        return;
    }
    RunProgram("training/bin/Release/net10.0/LatentMoE.Training.dll",
        ["inspect", .. HasArgument("checkpoint") ? ["--checkpoint", paths.Checkpoint.FullPath] : Passed(["preset", "twin"])]);
});

Task("Pack")
    .Description("Packs the libraries and the command line as NuGet packages. --package-version= --output=")
    .IsDependentOn("Build")
    .Does(() =>
{
    var packages = MakeAbsolute(Directory(Argument("output", "artifacts/packages")));
    foreach (var project in new[] { "training/Checkpoint", "runtime", "runtime/server", "runtime/cli" })
    {
        Run("dotnet", ["pack", project, "--configuration", "Release", "--no-build", "--nologo", "--verbosity", "quiet", "--output", packages.FullPath,
            .. HasArgument("package-version") ? new[] { $"-p:Version={Argument<string>("package-version")}" } : []]);
    }
    Information($"Packed into {packages}:");
    foreach (var file in GetFiles($"{packages}/*.nupkg"))
    {
        Information($"  {file.GetFilename()}, {new System.IO.FileInfo(file.FullPath).Length / 1e6:F1} MB");
    }
});

Task("Test")
    .Description("Runs all tests. --filter=")
    .IsDependentOn("Build")
    .Does<Paths>(paths =>
{
    EnsureDirectoryDoesNotExist(paths.TestResults, new DeleteDirectorySettings { Recursive = true, Force = true });
    EnsureDirectoryExists(paths.TestResults);
    Node();
    Chromium();
    var failures = new List<string>();
    foreach (var project in GetFiles("tests/*.Tests/*.csproj").OrderBy(file => file.FullPath))
    {
        var name = project.GetFilenameWithoutExtension().ToString();
        var code = StartProcess("dotnet", new ProcessSettings
        {
            Arguments = Quoted(["test", project.FullPath, "--configuration", "Release", "--no-build", "--nologo",
                "--logger", $"trx;LogFileName={name}.trx", "--results-directory", paths.TestResults.FullPath,
                .. HasArgument("filter") ? new[] { "--filter", Argument<string>("filter") } : []]),
        });
        if (code != 0)
        {
            failures.Add(name);
        }
    }
    var summary = Summarise(paths.TestResults, failures);
    System.IO.File.WriteAllText(paths.TestResults.CombineWithFilePath("summary.txt").FullPath, summary + "\n");
    Information(summary);
    if (failures.Count > 0)
    {
        throw new CakeException($"tests failed in {string.Join(", ", failures)}");
    }
});

Task("Soak")
    .Description("Runs the tests that can go on for long, each for a while: load and fuzzing. --seconds= of each, 120 unless given")
    .IsDependentOn("Build")
    .Does<Paths>(paths =>
{
    Node();
    Chromium();
    foreach (var project in GetFiles("tests/*.Tests/*.csproj").OrderBy(file => file.FullPath))
    {
        var settings = new ProcessSettings
        {
            Arguments = Quoted(["test", project.FullPath, "--configuration", "Release", "--no-build", "--nologo", "--filter", "Category=Soak", "--logger", "console;verbosity=detailed"]),
        };
        settings.EnvironmentVariables = new Dictionary<string, string> { ["LATENTMOE_SOAK"] = Argument("seconds", "120") };
        if (StartProcess("dotnet", settings) != 0)
        {
            throw new CakeException($"{project.GetFilenameWithoutExtension()}: what failed stands above");
        }
    }
});

Task("Clean")
    .Description("Removes everything produced, but checkpoints and models.")
    .Does(() =>
{
    CleanDirectories("**/bin/Release");
    CleanDirectories("**/obj/Release");
    foreach (var folder in new[] { "test-results", "reports", "benchmarks", "cache" })
    {
        EnsureDirectoryDoesNotExist($"artifacts/{folder}", new DeleteDirectorySettings { Recursive = true, Force = true });
    }
    CleanDirectory("artifacts/feed", file => !file.Path.FullPath.EndsWith(".gitkeep"));
});

RunTarget(target);

// The given arguments of the list, as a program's options.
IEnumerable<string> Passed(string[] names) => names.Where(HasArgument).SelectMany(name => 
    Arguments<string>(name).SelectMany(value => flags.Contains(name) ? new[] { "--" + name } : ["--" + name, value]));

// A command of the runtime's program, on the package that the arguments name.
void RunPackage(string command, Paths paths, IEnumerable<string> arguments) =>
    RunProgram("runtime/cli/bin/Release/net10.0/latentmoe.dll", [command, "--model", paths.Package.FullPath, .. arguments]);

void RunProgram(string assembly, IEnumerable<string> arguments) => Run("dotnet", [assembly, .. arguments]);

void Run(string program, IEnumerable<string> arguments)
{
    var code = StartProcess(program, new ProcessSettings { Arguments = Quoted(arguments) });
    if (code != 0)
    {
        throw new CakeException($"{program} {arguments.First()} ended with exit code {code}; what it says stands above");
    }
}

ProcessArgumentBuilder Quoted(IEnumerable<string> arguments) =>
    // A backslash counts as itself, but before a quote.
    arguments.Aggregate(new ProcessArgumentBuilder(), (builder, argument) =>
        builder.Append("\"" + System.Text.RegularExpressions.Regex.Replace(argument, @"(\\*)(""|$)", m => m.Groups[1].Value + m.Groups[1].Value + (m.Groups[2].Length > 0 ? "\\\"" : "")) + "\""));

// The native operators are compiled with g++ and make, and the CUDA kernels among them with clang, which needs no CUDA toolkit. The
// variable BuildCudaKernels, which MSBuild reads too, leaves these out where there is no clang 19.
void Compiler()
{
    Tools(["g++", "make"], "g++ make", "the build needs g++ 12 or later and make");
    if (!"false".Equals(EnvironmentVariable("BuildCudaKernels"), StringComparison.OrdinalIgnoreCase))
    {
        Tools(["clang++-19"], "clang-19", "the CUDA kernels need clang 19 (or set BuildCudaKernels=false to build without them)");
    }
}

// Node.js and npm run two of the consumers; the feed has asked for npm already where it builds packages.
void Node() => Tools(["node", "npm"], "nodejs npm", "the tests need Node.js 18 or later with npm");

// A headless browser is one of the consumers, and reads the server's page.
void Chromium()
{
    if (!HasEnvironmentVariable("CHROMIUM"))
    {
        Tools(["chromium"], "chromium", "the tests need Chromium (or its program's name in CHROMIUM)");
    }
}

// Installs a Debian package for programs that are missing, where that is allowed.
void Tools(string[] programs, string packages, string need)
{
    if (programs.All(program => Context.Tools.Resolve(program) is not null))
    {
        return;
    }
    var install = $"apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages}";
    if (Environment.UserName != "root" || !FileExists("/usr/bin/apt-get"))
    {
        throw new CakeException($"{need}; on Debian: sudo sh -c '{install}'");
    }
    Run("sh", ["-c", install]);
}

// A project that failed without a result, its host having crashed, counts as one failure.
string Summarise(DirectoryPath results, List<string> failures)
{
    var silent = failures.Count(name => !FileExists(results.CombineWithFilePath($"{name}.trx")));
    var counters = GetFiles($"{results}/*.trx").SelectMany(file => System.Xml.Linq.XDocument.Load(file.FullPath).Descendants().Where(e => e.Name.LocalName == "Counters")).ToArray();
    int Sum(string name) => counters.Sum(c => (int)c.Attribute(name));
    return $"{Sum("passed")} passed, {silent + Sum("failed") + Sum("error") + Sum("timeout") + Sum("aborted")} failed, {Sum("total") - Sum("executed")} skipped";
}
