using Google.Protobuf;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Tests.Packages;

[Collection(nameof(TestPackages))]
public class OnnxGraphTests
{
    private static string Model(string name) => Path.Combine(TestPackages.Package(name), "model.onnx");

    [Theory]
    [MemberData(nameof(TestPackages.Families), MemberType = typeof(TestPackages))]
    public void Read_IsWhatTheGeneratedParserReads(string family)
    {
        var expected = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Model(family)));
        var graph = OnnxGraph.Read(Model(family));
        Assert.Equal((expected.IrVersion, expected.ProducerName), (graph.IrVersion, graph.Producer));
        Assert.Equal(expected.OpsetImport.ToDictionary(set => set.Domain, set => set.Version), graph.OperatorSets);
        Assert.Equal(expected.Functions.Select(f => new OnnxFunction(f.Domain, f.Name)), graph.Functions);
        Assert.Equal(expected.Graph.Node.Select(Text), graph.Nodes.Select(Text));
        Assert.Equal(expected.Graph.Input.Select(Text), graph.Inputs.Select(Text));
        Assert.Equal(expected.Graph.Output.Select(Text), graph.Outputs.Select(Text));
        Assert.Equal(expected.Graph.Initializer.Count, graph.Initializers.Count);
        foreach (var tensor in expected.Graph.Initializer)
        {
            var read = graph.Initializers[tensor.Name];
            Assert.Equal((tensor.Name, (TensorElementType)tensor.DataType), (read.Name, read.Type));
            Assert.Equal(tensor.Dims, read.Dims);
            Assert.Equal(tensor.Dims.Aggregate(1L, (a, b) => a * b), read.Elements);
            Assert.Equal(tensor.RawData.Length, read.InlineBytes);
            var data = tensor.ExternalData.ToDictionary(entry => entry.Key, entry => entry.Value);
            Assert.Equal(data.Count == 0 ? null : new OnnxExternalData(data["location"], long.Parse(data["offset"]), long.Parse(data["length"])), read.External);
        }
    }

    [Fact]
    public void Read_ListsOfNumbers_PackedOrNot()
    {
        // ints 300 and 7 and floats 1.5 one by one; ints 5, 6 packed
        byte[] attribute = [0x0A, 1, (byte)'a', 0x40, 0xAC, 0x02, 0x40, 7, 0x3D, 0, 0, 0xC0, 0x3F, 0x42, 2, 5, 6];
        byte[] node = [0x2A, (byte)attribute.Length, .. attribute];
        var read = Assert.Single(Assert.Single(Bytes(Graph([0x0A, (byte)node.Length, .. node])).Nodes).Attributes);
        Assert.Equal([300L, 7, 5, 6], read.Ints);
        Assert.Equal([1.5f], read.Floats);
    }

    [Fact]
    public void Read_TwoGraphMessages_AreMerged()
    {
        byte[] node = [0x0A, 3, 0x22, 1, (byte)'A'];
        Assert.Equal(["A", "A"], Bytes([.. Graph(node), .. Graph(node)]).Nodes.Select(n => n.Type));
    }

    [Fact]
    public void WithOutputs_GivesTheExpertsThatRoutersChose()
    {
        var graph = OnnxGraph.Read(Model("LatentMoE"));
        string[] chosen = [.. graph.Routers.Select(router => router.Outputs[0])];
        byte[] model = OnnxGraph.WithOutputs(Model("LatentMoE"), chosen.Select(name => (name, TensorElementType.Int32)));
        using var options = new SessionOptions();
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", TestPackages.Package("LatentMoE"));
        using var session = new InferenceSession(model, options);
        Assert.Equal([.. graph.Outputs.Select(o => o.Name), .. chosen], session.OutputNames);
        Assert.Equal(2, chosen.Length);
        Assert.All(chosen, name => Assert.Equal(TensorElementType.Int32, session.OutputMetadata[name].ElementDataType));
    }

    [Theory]
    [InlineData("LatentMoE", 2, 8, 3)]
    [InlineData("FirstLayerDense", 1, 8, 3)]
    [InlineData("Glm4Moe", 2, 8, 2)]
    public void Experts_AreTheConfigurations(string family, int layers, int experts, int topK)
    {
        using var model = TestPackages.Load(family);
        Assert.Equal(new ExpertShape(layers, experts, topK), model.Experts);
    }

    [Fact]
    public void Experts_DenseModel_AreNone()
    {
        Assert.Null(OnnxGraph.Read(Model("Llama")).Experts());
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../other.data")]
    [InlineData("sub/model.data")]
    [InlineData("..")]
    [InlineData("")]
    public void Load_WeightsElsewhere_AreRefused(string location)
    {
        AssertRefused(proto => proto.Graph.Initializer.First(t => t.ExternalData.Count > 0).ExternalData[0].Value = location, $"\"{location}\"; expected a file name without a folder");
    }

    [Fact]
    public void Load_WeightsElsewhereInAnAttribute_AreRefused()
    {
        var tensor = Outside("../secret");
        AssertRefused(proto => proto.Functions[0].Node[0].Attribute.Add(new AttributeProto { Name = "value", T = tensor }), "the weights of hidden are in \"../secret\"");
    }

    [Fact]
    public void Load_WeightsElsewhereInATensorGivenTwice_AreRefused()
    {
        var first = Outside("x");
        var second = new TensorProto { ExternalData = { new StringStringEntryProto { Key = "location", Value = "../secret.bin" } } };
        byte[] attribute = [.. new AttributeProto { Name = "value", T = first }.ToByteArray(), .. new AttributeProto { T = second }.ToByteArray()];
        Assert.Equal("../secret.bin", AttributeProto.Parser.ParseFrom(attribute).T.ExternalData[^1].Value);
        byte[] node = [0x2A, (byte)attribute.Length, .. attribute];
        var error = Assert.Throws<CheckpointException>(() => Bytes(Graph([0x0A, (byte)node.Length, .. node])));
        Assert.Contains("in \"../secret.bin\"; expected a file name without a folder", error.Message);
    }

    [Fact]
    public void Load_LocationElsewhereOfATensorInTheModel_IsRefused()
    {
        AssertRefused(proto => proto.Graph.Initializer.First(t => t.ExternalData.Count == 0).ExternalData.Add(Outside("../secret.bin").ExternalData), "are in \"../secret.bin\"");
    }

    [Fact]
    public void Load_SparseTensors_AreRefused()
    {
        const int Sparse = 22, Sparses = 23, SparseInitializer = 15, Values = 1;
        var sparse = new OnnxMessage().Add(Values, new OnnxMessage());
        AssertRefused(proto => proto.Graph.Node[0].Attribute.Add(With(new AttributeProto { Name = "one" }, Sparse, sparse)), "the attribute one has a sparse_tensor");
        AssertRefused(proto => proto.Graph.Node[0].Attribute.Add(With(new AttributeProto { Name = "many" }, Sparses, sparse)), "the attribute many has a sparse_tensor");
        AssertRefused(proto => With(proto.Graph, SparseInitializer, sparse), "has a sparse_initializer");
    }

    [Fact]
    public void Load_WeightsElsewhereInADefaultOfAFunction_AreRefused()
    {
        const int Default = 11, AttributeTensor = 5, TensorName = 8, TensorExternal = 13, TensorLocation = 14, Key = 1, Value = 2;
        var entry = new OnnxMessage().Add(Key, "location").Add(Value, "../secret.bin");
        var tensor = new OnnxMessage().Add(TensorName, "hidden").Add(TensorLocation, 1).Add(TensorExternal, entry);
        AssertRefused(
            proto => With(proto.Functions[0], Default, new OnnxMessage().Add(AttributeTensor, tensor)), "the weights of hidden are in \"../secret.bin\"");
    }

    [Fact]
    public void Load_MoreElementsThanBytes_IsRefused()
    {
        AssertRefused(proto => proto.Graph.Initializer.First(t => t.ExternalData.Count > 0).Dims[0] += 1, "more than its bytes hold");
        AssertRefused(proto => proto.Graph.Initializer.First(t => t.ExternalData.Count == 0).Dims.Add(1L << 40), "more than its bytes hold");
        AssertRefused(
            proto =>
            {
                var tensor = proto.Graph.Initializer.First(t => t.ExternalData.Count > 0);
                tensor.ExternalData.Remove(tensor.ExternalData.Single(e => e.Key == "length"));
                tensor.Dims.Add(1L << 40);
            },
            "The package is damaged");
    }

    [Theory]
    [InlineData(TensorElementType.Float16, new byte[] { 0x2A, 3, 0, 1, 2 })] // in a list of int32
    [InlineData(TensorElementType.Int32, new byte[] { 0x28, 0, 0x28, 1, 0x28, 2 })] // one by one
    [InlineData(TensorElementType.String, new byte[] { 0x32, 0, 0x32, 0, 0x32, 0 })]
    public void Read_ElementsInLists_FitTheirBytes(TensorElementType type, byte[] data)
    {
        byte[] Model(byte extent)
        {
            byte[] tensor = [0x08, extent, 0x10, (byte)type, 0x42, 1, (byte)'a', .. data];
            return Graph([0x2A, (byte)tensor.Length, .. tensor]);
        }
        Assert.Equal(3, Bytes(Model(3)).Initializers["a"].Elements);
        Assert.Contains("more than its bytes hold", Assert.Throws<CheckpointException>(() => Bytes(Model(4))).Message);
    }

    [Theory]
    [InlineData("offset", "-64", "the offset of")]
    [InlineData("length", "many", "is \"many\"; expected a whole number")]
    [InlineData("offset", "9000000000000000000", "end at byte 90000000000000")]
    public void Load_WeightsBeyondTheirFile_AreRefused(string key, string value, string told)
    {
        AssertRefused(proto => proto.Graph.Initializer.First(t => t.ExternalData.Count > 0).ExternalData.Single(e => e.Key == key).Value = value, told);
    }

    [Fact]
    public void Load_RoutersThatDiffer_AreRefused()
    {
        AssertRefused(proto => proto.Graph.Node.Last(n => n.OpType == "MoERouter").Attribute.Single(a => a.Name == "top_k").I = 2, "chooses 2 of 8 experts; expected 3 of 8");
    }

    [Fact]
    public void Load_ImpossibleShape_IsRefused()
    {
        AssertRefused(proto => proto.Graph.Initializer[0].Dims.Add([1L << 40, 1L << 40]), "more elements than there can be");
        AssertRefused(proto => proto.Graph.Initializer[0].Dims.Add(-1), "no negative extent");
    }

    [Fact]
    public void Of_MoreWeightsThanCanBeCounted_IsOneClearError()
    {
        var half = new OnnxTensor("a", TensorElementType.Float, [1L << 62], 1L << 62, new OnnxExternalData("x", 0, null), 0);
        var graph = OnnxGraph.Read(Model("Llama")) with
        {
            Nodes = [.. new[] { "a", "b" }.Select(name => new OnnxNode(name, "Gather", "", [name], [], []))],
            Initializers = new Dictionary<string, OnnxTensor> { ["a"] = half, ["b"] = half with { Name = "b" } },
        };
        foreach (var count in new Action[] { () => GraphSize.Of(graph, cacheNumbers: 0), () => GraphSize.Bytes(graph) })
        {
            string message = Assert.Throws<CheckpointException>(count).Message;
            Assert.StartsWith($"{graph.FilePath}: ", message);
            Assert.Contains("more than there can be", message);
        }
    }

    [Fact]
    public void Read_AnyDamage_IsAnAnswerOrOneClearError()
    {
        byte[] whole = File.ReadAllBytes(Model("LatentMoE"));
        var random = new Random(5);
        using var folder = new TemporaryFolder();
        int refused = 0;
        for (int i = 0; i < 600; i++)
        {
            byte[] bytes = i % 3 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            for (int hit = 0; hit < random.Next(1, 4) && bytes.Length > 0; hit++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            File.WriteAllBytes(folder["model.onnx"], bytes);
            try
            {
                var graph = OnnxGraph.Read(folder["model.onnx"]);
                graph.Experts();
                GraphSize.Of(graph, cacheNumbers: 0);
            }
            catch (CheckpointException e)
            {
                Assert.StartsWith($"{folder["model.onnx"]}: ", e.Message);
                refused++;
            }
        }
        Assert.InRange(refused, 200, 600);
    }

    [Theory]
    [InlineData(new byte[] { 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })] // a graph of 2 GiB
    [InlineData(new byte[] { 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })] // a producer's name of 2 GiB
    [InlineData(new byte[] { 0x3A, 6, 0x0A, 4, 0x0A, 0x7F, (byte)'a', 0 })] // a name longer than its node
    [InlineData(new byte[] { 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })] // a negative length
    [InlineData(new byte[] { 0x3C })] // the end of a group
    public void Read_SizesThatLie_TakeNoMemory(byte[] bytes)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<CheckpointException>(() => Bytes(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Read_GraphsWithinGraphs_EndAtADepth()
    {
        var graph = new GraphProto();
        for (int i = 0; i < 40; i++)
        {
            var outer = new GraphProto();
            outer.Node.Add(new NodeProto { Attribute = { new AttributeProto { G = graph } } });
            graph = outer;
        }
        Assert.Contains("deep", Assert.Throws<CheckpointException>(() => Bytes(new ModelProto { Graph = graph }.ToByteArray())).Message);
    }

    private static void AssertRefused(Action<ModelProto> change, string told)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["model.onnx"]));
        change(proto);
        File.WriteAllBytes(folder["model.onnx"], proto.ToByteArray());
        var error = Assert.Throws<CheckpointException>(() => LanguageModel.Load(folder.Path, new() { Device = Device.Cpu }));
        Assert.StartsWith(folder["model.onnx"], error.Message);
        Assert.Contains(told, error.Message);
    }

    // A message with a field that the parser of the exporter does not know.
    private static T With<T>(T message, int field, OnnxMessage value)
        where T : IMessage
    {
        message.MergeFrom(new OnnxMessage().Add(field, value).ToArray());
        return message;
    }

    private static TensorProto Outside(string location)
    {
        var tensor = new TensorProto { Name = "hidden", DataLocation = TensorProto.Types.DataLocation.External };
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        return tensor;
    }

    private static OnnxGraph Bytes(byte[] model)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["model.onnx"], model);
        return OnnxGraph.Read(folder["model.onnx"]);
    }

    private static byte[] Graph(byte[] fields) => [0x3A, (byte)fields.Length, .. fields];

    private static string Text(NodeProto n) => $"{n.Name} {n.Domain}:{n.OpType}({string.Join(',', n.Input)}) -> {string.Join(',', n.Output)} "
        + string.Join(' ', n.Attribute.Select(a => $"{a.Name}={a.I};{a.F};{a.S.ToStringUtf8()};{string.Join(',', a.Ints)};{string.Join(',', a.Floats)}"));

    private static string Text(OnnxNode n) => $"{n.Name} {n.Domain}:{n.Type}({string.Join(',', n.Inputs)}) -> {string.Join(',', n.Outputs)} "
        + string.Join(' ', n.Attributes.Select(a => $"{a.Name}={a.Int};{a.Float};{a.Text};{string.Join(',', a.Ints)};{string.Join(',', a.Floats)}"));

    private static string Text(ValueInfoProto v) => $"{v.Name} {v.Type.TensorType.ElemType} "
        + (v.Type.TensorType.Shape is { } shape ? string.Join(',', shape.Dim.Select(d => d.HasDimValue ? d.DimValue : -1)) : "any");

    private static string Text(OnnxValue v) => $"{v.Name} {(int)v.Type} {(v.Dims is null ? "any" : string.Join(',', v.Dims))}";
}
