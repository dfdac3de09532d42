// The paper's comparisons: training, then decode of the exported models, then the reports.
string[] studyArguments = ["scale", "data", "steps", "seeds", "dtype", "device", "jobs"];

Task("Study")
    .Description("Trains the twins and ablations of the paper's claims, measures them, and writes artifacts/study/report.md, .html and rows.json; goes on where it stopped. --scale=cpu|paper --data= --steps= --seeds= --dtype= --device= --jobs= --output= --plan --keep=FOLDER")
    .IsDependentOn("Build")
    .Does(() =>
{
    const string training = "training/bin/Release/net10.0/LatentMoE.Training.dll";
    var scale = System.IO.Path.GetFileNameWithoutExtension(Argument("scale", "cpu"));
    var folder = Argument("output", scale == "cpu" ? "artifacts/study" : $"artifacts/study-{scale}");
    RunProgram(training, ["study", .. Passed(studyArguments), "--output", folder, .. HasArgument("plan") ? new[] { "--plan" } : []]);
    if (HasArgument("plan"))
    {
        return;
    }
    RunProgram("tests/benchmarks/bin/Release/net10.0/LatentMoE.Benchmarks.dll", ["speed", "--plan", $"{folder}/speed-plan.json", "--output", $"{folder}/speed.json"]);
    RunProgram(training, ["study", .. Passed(studyArguments), "--output", folder, "--report", .. Passed(["keep"])]);
});
