// Speed, measured side by side: the operator library, the standard bodies, ONNX Runtime's own operators, and a peer's rows.
string[] benchArguments = ["preset", "twin", "precision", "activations", "cache", "model", "prefill", "context", "batch", "steps", "engine", "device", "threads", "runs", "seconds", "library", "peer", "limits", "keep"];

Task("Bench")
    .Description("Measures prefill and decode into artifacts/benchmarks. --preset= --twin= --precision= --activations= --cache= --context= --batch= --engine= --device= --threads= --runs= --model= --peer= --keep=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("tests/benchmarks/bin/Release/net10.0/LatentMoE.Benchmarks.dll", Passed(benchArguments)));
