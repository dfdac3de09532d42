// Writes stories greedily with ONNX Runtime GenAI: the package folder as it is, or overlaid with the library of native operators; one row or
// a right-padded batch.
// usage: GenAIConsumer PACKAGE [--library=liblatentmoe_ops.so] [--session=KEY=VALUE ...] SHARE(true|false) TOKENS PROMPT [PROMPT ...]
//        GenAIConsumer PACKAGE tokenize < texts.jsonl
using System.Text.Json;
using Microsoft.ML.OnnxRuntimeGenAI;

const string Library = "--library=", Session = "--session=";
string folder = args[0];
var session = args.Where(arg => arg.StartsWith(Session)).Select(arg => arg[Session.Length..].Split('=', 2)).ToDictionary(entry => entry[0], entry => entry[1]);
if (args.LastOrDefault(arg => arg.StartsWith(Library)) is { } library)
{
    session["custom_ops_library"] = Path.GetFullPath(library[Library.Length..]);
}
args = [.. args.Where(arg => !arg.StartsWith(Library) && !arg.StartsWith(Session))];

using var overlaid = new Config(folder);
overlaid.Overlay(JsonSerializer.Serialize(new { model = new { decoder = new { session_options = session } } }));
using var model = new Model(overlaid);
using var tokenizer = new Tokenizer(model);

if (args[1] == "tokenize")
{
    while (Console.ReadLine() is string line)
    {
        using var ids = tokenizer.Encode(JsonSerializer.Deserialize<string>(line)!);
        Console.WriteLine(JsonSerializer.Serialize(ids[0].ToArray()));
    }
    return;
}

bool share = bool.Parse(args[1]);
int count = int.Parse(args[2]);
string[] prompts = args[3..];
using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer_config.json")));
string bos = config.RootElement.GetProperty("add_bos_token").GetBoolean() ? config.RootElement.GetProperty("bos_token").GetString()! : "";
int eos = tokenizer.GetEosTokenIds()[0];

using var sequences = tokenizer.EncodeBatch([.. prompts.Select(prompt => bos + prompt)]);
int longest = Enumerable.Range(0, prompts.Length).Max(row => sequences[(ulong)row].Length);
using var parameters = new GeneratorParams(model);
parameters.SetSearchOption("batch_size", prompts.Length);
parameters.SetSearchOption("max_length", longest + count);
parameters.SetSearchOption("do_sample", false);
parameters.SetSearchOption("past_present_share_buffer", share);
using var generator = new Generator(model, parameters);
generator.AppendTokenSequences(sequences);

var generated = prompts.Select(_ => new List<int>()).ToArray();
for (int step = 0; step < count && !generator.IsDone(); step++)
{
    generator.GenerateNextToken();
    var next = generator.GetNextTokens();
    for (int row = 0; row < prompts.Length; row++)
    {
        // A finished row goes on with pads while others are still at work.
        if (generated[row].Count == 0 || generated[row][^1] != eos)
        {
            generated[row].Add(next[row]);
        }
    }
}
Console.WriteLine(JsonSerializer.Serialize(new
{
    rows = prompts.Select((prompt, row) => new { prompt, tokens = generated[row], text = prompt + tokenizer.Decode(generated[row].ToArray()) }),
}));
