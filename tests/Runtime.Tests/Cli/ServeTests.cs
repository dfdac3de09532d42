using System.Text.Json;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Cli;

[Collection(nameof(TestPackages))]
public class ServeTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Serve_ListensUntilASignal(string signal)
    {
        using var process = CliProcess.Start("serve", "--model", TestPackages.Package("LatentMoE"), "--port", "0", "--name", "little", "--device", "cpu", "--json");
        string? line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        var json = JsonDocument.Parse(line!).RootElement;
        string url = json.GetProperty("url").GetString()!;
        Assert.StartsWith("http://127.0.0.1:", url);
        Assert.Equal(("little", "cpu", TestPackages.Context), (json.GetProperty("model").GetString(), json.GetProperty("device").GetString(), json.GetProperty("context_length").GetInt32()));
        Assert.Contains("Running on Cpu (as asked for)", json.GetProperty("why").GetString());
        using var client = new HttpClient();
        Assert.True((await client.GetAsync(url + "/health")).IsSuccessStatusCode);
        process.Signal(signal);
        var (code, _, error) = await CliProcess.End(process);
        Assert.Equal(0, code);
        Assert.DoesNotContain("warning", error);
    }

    [Fact]
    public async Task Serve_BeyondLoopbackWithoutKey_Warns()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["keys"], "\nsecret-1\n\nsecret-2\n");
        Assert.Contains("warning: * can be reached from other machines", await Started("--host", "*"));
        Assert.DoesNotContain("warning", await Started("--host", "*", "--api-keys", folder["keys"]));

        static async Task<string> Started(params string[] arguments)
        {
            using var process = CliProcess.Start(["serve", "--model", TestPackages.Package("LatentDense"), "--port", "0", .. arguments]);
            string? open = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Contains(" is open", open);
            process.Signal("TERM");
            var (code, output, error) = await CliProcess.End(process);
            Assert.Equal(0, code);
            Assert.Contains("bytes for the whole context", output);
            return error;
        }
    }

    [Theory]
    [InlineData("error: --cache-memory: '5X' is no amount of memory", "--cache-memory", "5X")]
    [InlineData("error: --prefix-cache: '99999999999G' is no amount of memory", "--prefix-cache", "99999999999G")]
    [InlineData("error: Port is 99999; expected 0 (any free one) to 65535", "--port", "99999")]
    [InlineData("error: MaxRows is 0; expected 1 to 1024", "--max-rows", "0")]
    [InlineData("error: --drain-timeout is -1; expected seconds", "--drain-timeout", "-1")]
    [InlineData("there is no key in it", "--api-keys", "/dev/null")]
    [InlineData("/no/template: cannot be read", "--chat-template", "/no/template")]
    [InlineData("cannot listen there: ", "--host", "192.0.2.1", "--port", "0")]
    public async Task Errors_AreOneSentence(string told, params string[] arguments)
    {
        var (code, output, error) = await CliProcess.Run(["serve", "--model", TestPackages.Package("LatentMoE"), .. arguments]);
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("error: ", error);
        Assert.Contains(told, error);
        Assert.DoesNotContain("   at ", error);
    }
}
