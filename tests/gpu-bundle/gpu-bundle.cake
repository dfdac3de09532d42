// A folder, and archives of it, that check and measure the CUDA operators on a machine with neither SDK nor network.
string[] gpuBundleArguments = ["output", "split", "without", "precision"];
string[] bundleParts = ["dotnet", "cuda-provider", "onnxruntime"];

// Weights and activations of the packages; a host makes larger ones of the same types itself.
var bundleTypes = new Dictionary<string, string> { ["f32"] = "f32", ["f16"] = "f16", ["bf16"] = "bf16", ["int8"] = "f16", ["int4"] = "f16" };

string[] BundleList(string name, IEnumerable<string> known, string value)
{
    var list = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    var unknown = list.Except(known).ToArray();
    return unknown.Length == 0 ? list : throw new CakeException($"--{name}={value}: there is no {unknown[0]}; there are {string.Join(", ", known)}");
}

Task("GpuBundle")
    .Description("Makes artifacts/gpu-bundle for a CUDA host: checks, benchmark, packages, run.sh; and archives beside it. --cuda --output= --split=MB --without=dotnet,cuda-provider,onnxruntime --precision=")
    .IsDependentOn("Build")
    .Does(() =>
{
    Tools(["xz", "strip"], "xz-utils binutils", "the bundle is packed with xz, and strip of binutils");
    var without = BundleList("without", bundleParts, Argument("without", ""));
    var precisions = BundleList("precision", bundleTypes.Keys, Argument("precision", string.Join(",", bundleTypes.Keys)));
    if (!int.TryParse(Argument("split", "0"), out var split) || split < 0)
    {
        throw new CakeException($"--split={Argument<string>("split")}: expected megabytes of one file, or 0 for a single one");
    }
    var output = MakeAbsolute(Directory(Argument("output", "artifacts/gpu-bundle")));
    var work = MakeAbsolute(Directory("artifacts/cache/gpu-bundle"));
    CleanDirectory(output);
    PublishBenchmark(work, output.Combine("benchmark"), without);
    BuildGpuPrograms(work, output);
    foreach (var precision in precisions)
    {
        var package = output.Combine($"packages/tiny-{precision}-activations-{bundleTypes[precision]}");
        RunProgram("export/bin/Release/net10.0/LatentMoE.Export.dll",
            ["export", "--random-weights", "--preset", "tiny", "--precision", precision, "--activations", bundleTypes[precision], "--output", package.FullPath]);
    }
    foreach (var file in GetFiles("tests/gpu-bundle/*.sh").Where(file => file.GetFilename().ToString() != "unpack.sh"))
    {
        CopyFile(file, output.CombineWithFilePath(file.GetFilename()));
    }
    CopyFiles(GetFiles("THIRD-PARTY-NOTICES.md"), output);
    Archive(output, split);
});

// With the .NET runtime, or for the one that the host has. The operator library is the one that Build made.
void PublishBenchmark(DirectoryPath work, DirectoryPath folder, string[] without)
{
    string[] kind = without.Contains("dotnet") ? ["--no-self-contained"] : ["--self-contained"];
    Run("dotnet", ["publish", "tests/benchmarks/LatentMoE.Benchmarks.csproj", "--configuration", "Release", "--runtime", "linux-x64", .. kind,
        "--artifacts-path", work.Combine("publish").FullPath, "--output", folder.FullPath, "-p:BuildNativeOperators=false", "--nologo", "--verbosity", "quiet"]);
    CopyFileToDirectory("runtime/bin/Release/net10.0/runtimes/linux-x64/native/liblatentmoe_ops.so", folder);
    DeleteFiles($"{folder}/*.pdb");
    var provider = GetFiles($"{folder}/libonnxruntime_providers_*.so");
    if (without.Contains("cuda-provider"))
    {
        DeleteFiles(provider);
    }
    else if (!FileExists(folder.CombineWithFilePath("libonnxruntime_providers_cuda.so")))
    {
        Warning("The bundle is without ONNX Runtime's CUDA provider, which is left out on a machine without an NVIDIA driver: its steps model and engines need run.sh --provider=DIR on the host. To package it, add --cuda.");
    }
    if (without.Contains("onnxruntime"))
    {
        DeleteFiles($"{folder}/libonnxruntime.so*");
    }
}

// The native programs, and as files the images that they carry.
void BuildGpuPrograms(DirectoryPath work, DirectoryPath output)
{
    var native = work.Combine("native");
    var operators = MakeAbsolute(Directory("runtime/obj/Release/net10.0/ops"));
    Run("make", ["--silent", "-C", "tests/Operators.Tests/gpu", "-f", "device.mk", $"--jobs={Environment.ProcessorCount}", $"OUT={native}", $"OPS_OUT={operators}"]);
    EnsureDirectoryExists(output.Combine("bin"));
    foreach (var program in new[] { "gpu_tests", "gpu_bench" })
    {
        Run("strip", ["-o", output.CombineWithFilePath($"bin/{program}").FullPath, native.CombineWithFilePath(program).FullPath]);
    }
    foreach (var image in GetFiles($"{operators}/ptx/*/*.ptx") + GetFiles($"{native}/ptx/*/*.ptx"))
    {
        var target = output.Combine($"ptx/{image.GetDirectory().GetDirectoryName()}");
        EnsureDirectoryExists(target);
        CopyFileToDirectory(image, target);
    }
}

// NAME.tar.xz, or NAME.tar.xz.00, .01 and so on of so many megabytes at most, with their sums and unpack.sh in NAME-archive.
void Archive(DirectoryPath folder, int split)
{
    var name = folder.GetDirectoryName();
    var archive = folder.Combine($"../{name}-archive").Collapse();
    CleanDirectory(archive);
    var pack = "tar --create --owner=0 --group=0 --directory=\"$1\" \"$2\" | xz --threads=0 -3";
    var save = split > 0 ? $"split --bytes={split}M --numeric-suffixes - \"$3/$2.tar.xz.\"" : "cat >\"$3/$2.tar.xz\"";
    Run("bash", ["-o", "pipefail", "-c", $"{pack} | {save} && cd \"$3\" && sha256sum \"$2\".tar.xz* >SHA256SUMS", "pack", folder.Combine("..").Collapse().FullPath, name, archive.FullPath]);
    CopyFile("tests/gpu-bundle/unpack.sh", archive.CombineWithFilePath("unpack.sh"));
    Information($"{folder}: run.sh; to copy elsewhere: {archive}");
}
