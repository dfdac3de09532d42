using System.Text.Json.Nodes;
using Google.Protobuf;
using LatentMoE.Checkpoints;
using LatentMoE.Export;
using LatentMoE.Export.Onnx;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Packages;

[Collection(nameof(TestPackages))]
public class PackageInfoTests
{
    [Theory]
    [InlineData("LatentMoE")]
    [InlineData("LatentDense")]
    [InlineData("Llama")]
    [InlineData("Glm4Moe")]
    [InlineData("QueryLora")]
    [InlineData("TiedHead")]
    [InlineData("TopOne")]
    [InlineData("FirstLayerDense")]
    [InlineData("NoSharedExperts")]
    public void Read_CountsAsTheConfigurationDoes(string family)
    {
        var info = PackageInfo.Read(TestPackages.Package(family));
        AssertSize(TestPackages.Config(family), info, cacheBytes: 4);
        Assert.Equal(("f32", "f32", "f32"), (info.Precision, info.Activations, info.Cache));
    }

    [Theory]
    [InlineData("int4", "f32", "f16")]
    [InlineData("int8", "f16", "f16")]
    [InlineData("bf16", "bf16", "bf16")]
    public void Read_AnyPrecision_CountsTheSameWeights(string precision, string activations, string cache)
    {
        var config = TestConfigs.LatentMoE with { MoeIntermediateSize = 32 };
        using var folder = new TemporaryFolder();
        RandomCheckpoint.Write(folder["checkpoint"], config, rows: 1, tokens: 8);
        Exporter.Run(new ExportOptions
        {
            Checkpoint = folder["checkpoint"], Output = folder["package"], Precision = precision, Activations = activations, Cache = cache,
        });
        var info = PackageInfo.Read(folder["package"]);
        AssertSize(config, info, cacheBytes: 2);
        Assert.Equal((precision, activations, cache), (info.Precision, info.Activations, info.Cache));
        Assert.InRange(info.Memory.Weights, 1, new FileInfo(Path.Combine(folder["package"], "model.onnx.data")).Length + 1024);
    }

    [Fact]
    public void Read_DescribesTheGraph()
    {
        var info = PackageInfo.Read(TestPackages.Package("LatentMoE"));
        Assert.Equal((8, "LatentMoE.Export"), (info.IrVersion, info.Producer));
        Assert.Equal(new Dictionary<string, long> { ["ai.onnx"] = 18, ["latentmoe"] = 1 }, info.OperatorSets);
        Assert.Equal((2, 2, 2), (info.Operators["latentmoe.LatentAttention"], info.Operators["latentmoe.MoERouter"], info.Operators["latentmoe.MoEExperts"]));
        Assert.Contains("latentmoe.LatentAttention", info.Bodies);
        Assert.EndsWith("liblatentmoe_ops.so", info.OperatorLibrary);
        Assert.Null(PackageInfo.Read(info.Folder, new() { UseOperatorLibrary = false }).OperatorLibrary);
    }

    [Fact]
    public void Memory_IsTheSessionsCache()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, ContextLength = 100 });
        var (memory, config) = (model.Memory, TestPackages.Config("LatentMoE"));
        Assert.Equal(100 * memory.CachePerToken, memory.CachePerRow);
        Assert.Equal(2 * config.NumHiddenLayers * config.HiddenSize * sizeof(float), memory.MultiHeadCachePerToken);
        Assert.Equal(PackageInfo.Read(model.Folder).Memory with { CachePerRow = memory.CachePerRow }, memory);
    }

    [Theory]
    [InlineData("head_size")]
    [InlineData("head_size", "num_key_value_heads")]
    [InlineData("head_size", "num_key_value_heads", "num_hidden_layers")]
    public void Read_CacheLargerThanThereCanBe_NamesTheConfiguration(params string[] keys)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        var config = JsonNode.Parse(File.ReadAllText(folder["genai_config.json"]))!;
        config["model"]!["context_length"] = int.MaxValue;
        foreach (string key in keys)
        {
            config["model"]!["decoder"]![key] = int.MaxValue;
        }
        File.WriteAllText(folder["genai_config.json"], config.ToJsonString());
        var error = Assert.Throws<CheckpointException>(() => PackageInfo.Read(folder.Path));
        Assert.StartsWith($"{folder["genai_config.json"]}: the size of the cache would be", error.Message);
    }

    [Theory]
    [InlineData("Llama", 0, "has 0 heads; expected at least one")]
    [InlineData("LatentMoE", -4, "has -4 heads; expected at least one")]
    [InlineData("Llama", long.MaxValue, "the cache of all heads would be")]
    public void Read_ImpossibleHeads_NamesTheModel(string family, long heads, string told)
    {
        using var folder = TestPackages.Copy(family);
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["model.onnx"]));
        proto.Graph.Node.First(n => n.OpType is "LatentAttention" or "GroupQueryAttention").Attribute.Single(a => a.Name == "num_heads").I = heads;
        File.WriteAllBytes(folder["model.onnx"], proto.ToByteArray());
        var error = Assert.Throws<CheckpointException>(() => PackageInfo.Read(folder.Path));
        Assert.StartsWith($"{folder["model.onnx"]}: ", error.Message);
        Assert.Contains(told, error.Message);
    }

    [Fact]
    public void CheckFiles_WholePackage_IsIntact()
    {
        var files = PackageInfo.CheckFiles(TestPackages.Package("LatentMoE")).ToList();
        Assert.All(files, file => Assert.Equal(PackageFileState.Intact, file.State));
        Assert.Equal(Directory.GetFiles(TestPackages.Package("LatentMoE")).Length - 1, files.Count);
    }

    [Fact]
    public void CheckFiles_NamesWhatDiffersIsMissingOrNotListed()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.Copy(Path.Combine(TestPackages.Package("LatentMoE"), "manifest.json"), folder["manifest.json"]);
        byte[] weights = File.ReadAllBytes(folder["model.onnx.data"]);
        weights[^1] ^= 1;
        File.WriteAllBytes(folder["model.onnx.data"], weights);
        File.AppendAllText(folder["config.json"], " ");
        File.Delete(folder["README.md"]);
        File.WriteAllText(folder["notes.txt"], "mine");
        var states = PackageInfo.CheckFiles(folder.Path).ToDictionary(file => file.Name, file => file.State);
        Assert.Equal(PackageFileState.Differs, states["model.onnx.data"]);
        Assert.Equal(PackageFileState.Differs, states["config.json"]);
        Assert.Equal(PackageFileState.Missing, states["README.md"]);
        Assert.Equal(PackageFileState.Unlisted, states["notes.txt"]);
        Assert.Equal(PackageFileState.Intact, states["model.onnx"]);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    public void CheckFiles_ManifestNamesAFileElsewhere_IsRefused(string name)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        var entry = new JsonObject { ["name"] = name, ["size"] = 1, ["sha256"] = "00" };
        File.WriteAllText(folder["manifest.json"], new JsonObject { ["files"] = new JsonArray(entry) }.ToJsonString());
        Assert.Contains("without a folder", Assert.Throws<CheckpointException>(() => PackageInfo.CheckFiles(folder.Path).ToList()).Message);
    }

    private static void AssertSize(ModelConfig config, PackageInfo info, int cacheBytes)
    {
        var expected = ModelSize.Of(config);
        Assert.Equal(expected, new ModelSize(info.Parameters, info.ActiveParameters, info.FlopsPerToken, info.Memory.CachePerToken / cacheBytes));
        Assert.Equal(config.NumHiddenLayers, info.Layers);
        Assert.Equal(config.MaxPositionEmbeddings, info.ContextLength);
        Assert.Equal(config.IsMoE ? config.NumExpertsPerTok : null, info.Experts?.TopK);
    }
}
