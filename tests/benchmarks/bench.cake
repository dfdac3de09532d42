// Speed, measured side by side: the operator library, the standard bodies, ONNX Runtime's own operators, and a peer's rows.
string[] benchArguments = ["preset", "twin", "precision", "cache", "model", "prefill", "context", "batch", "steps", "engine", "threads", "runs", "seconds", "library", "peer", "keep"];

Task("Bench")
    .Description("Measures prefill and decode into artifacts/benchmarks. --preset= --twin= --precision= --cache= --context= --batch= --engine= --threads= --runs= --model= --peer= --keep=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("tests/benchmarks/bin/Release/net10.0/LatentMoE.Benchmarks.dll", Passed(benchArguments)));
