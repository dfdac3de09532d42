using System.Diagnostics;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;
using Xunit.Abstractions;

namespace LatentMoE.Runtime.Tests.Packages;

/// <summary>Damages the files of a package at random: it loads and answers, or one clear error says which file is wrong.</summary>
[Collection(nameof(TestPackages))]
[Trait("Category", "Soak")]
public class PackageFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Files = ["model.onnx", "genai_config.json", "tokenizer.json", "tokenizer_config.json"];
    private static readonly byte[][] Splices =
        [[0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "-1"u8.ToArray(), "1e999"u8.ToArray(), "../../etc/passwd"u8.ToArray(), "null"u8.ToArray(), "[[[["u8.ToArray(), "99999999999"u8.ToArray(), [0]];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_DamagedPackages_AnswersOrSaysWhichFileIsWrong(bool library)
    {
        var (random, clock, time) = (new Random(library ? 1 : 2), Stopwatch.StartNew(), SoakTime.Or(4));
        int loaded = 0, refused = 0;
        for (int i = 0; clock.Elapsed < time || refused < 5; i++)
        {
            using var folder = TestPackages.Copy("LatentMoE");
            string file = Files[random.Next(Files.Length)];
            byte[] damaged = Damage(File.ReadAllBytes(folder[file]), random);
            File.WriteAllBytes(folder[file], damaged);
            try
            {
                using var model = LanguageModel.Load(folder.Path, new() { Device = Device.Cpu, Threads = 1, UseOperatorLibrary = library });
                model.Generate([5, 6, 7], GenerationOptions.Greedy with { MaxNewTokens = 3 });
                _ = model.Decode(model.Encode("the end"));
                loaded++;
            }
            catch (CheckpointException e)
            {
                Assert.Contains(folder.Path, e.Message, StringComparison.Ordinal);
                refused++;
            }
            catch (InvalidOperationException e) when (e.Message.Contains("damaged", StringComparison.Ordinal)) // logits that are no numbers
            {
                refused++;
            }
            catch (Exception e)
            {
                string kept = Path.Combine(Path.GetTempPath(), $"damaged-{i}-{file}");
                File.WriteAllBytes(kept, damaged);
                Assert.Fail($"{file}, {i}, kept as {kept}: {e}");
            }
        }
        output.WriteLine($"{loaded} loaded, {refused} refused");
    }

    private static byte[] Damage(byte[] bytes, Random random)
    {
        var result = bytes.ToList();
        for (int change = random.Next(1, 4); change > 0 && result.Count > 1; change--)
        {
            int at = random.Next(result.Count), count = Math.Min(random.Next(1, 40), result.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    result.RemoveRange(at, result.Count - at);
                    break;
                case 1:
                    result[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    result[at] = (byte)random.Next(256);
                    break;
                case 3:
                    result.RemoveRange(at, count);
                    break;
                case 4:
                    result.InsertRange(at, result.GetRange(random.Next(result.Count - count + 1), count));
                    break;
                default:
                    result.InsertRange(at, Splices[random.Next(Splices.Length)]);
                    break;
            }
        }
        return [.. result];
    }
}
