// Speed, measured side by side: the operator library, the standard bodies, ONNX Runtime's own operators, and a peer's rows.
string[] benchArguments = ["preset", "twin", "precision", "activations", "cache", "model", "prefill", "context", "batch", "steps", "engine", "device", "threads", "runs", "seconds", "library", "peer", "limits", "keep"];

Task("Bench")
    .Description("Measures prefill and decode into artifacts/benchmarks. --preset= --twin= --precision= --activations= --cache= --context= --batch= --engine= --device= --threads= --runs= --model= --peer= --keep=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("tests/benchmarks/bin/Release/net10.0/LatentMoE.Benchmarks.dll", Passed(benchArguments)));

// The engine that serves many requests, beside the sessions that it runs on.
string[] servingArguments = ["preset", "precision", "cache", "streams", "tokens", "runs", "threads", "keep"];

Task("BenchServing")
    .Description("Measures continuous batching, the engine's own cost and the prefix cache into artifacts/benchmarks. --preset= --precision= --cache= --streams= --tokens= --runs= --threads= --keep=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("tests/benchmarks/bin/Release/net10.0/LatentMoE.Benchmarks.dll", ["serving", .. Passed(servingArguments)]));

// Steps of training, beside those of a dense model of as many active products.
string[] benchTrainingArguments = ["preset", "batch", "sequence", "runs", "gradient-checkpointing", "device", "keep"];

Task("BenchTraining")
    .Description("Measures training steps beside a dense model of equal active products, in float32 and bf16, into artifacts/benchmarks. --preset= --batch= --sequence= --runs= --gradient-checkpointing --device= --keep=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("training/bin/Release/net10.0/LatentMoE.Training.dll", ["bench", .. Passed(benchTrainingArguments)]));

// Training a tokenizer, and encoding with it.
string[] benchTokenizerArguments = ["data", "megabytes", "vocabulary", "tokenizer", "runs"];

Task("BenchTokenizer")
    .Description("Measures training a tokenizer and encoding with it. --data= --megabytes= --vocabulary= --tokenizer=FILE --runs=")
    .IsDependentOn("Build")
    .Does(() => RunProgram("training/bin/Release/net10.0/LatentMoE.Training.dll", ["bench-tokenizer", .. Passed(benchTokenizerArguments)]));
