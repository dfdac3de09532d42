using System.Text;
using LatentMoE.Server.Internals.Answers;

namespace LatentMoE.Server.Tests.Answers;

[Collection(nameof(TestPackage))]
public class TextOffsetsTests
{
    [Theory]
    [InlineData("the end of a tale")]
    [InlineData("é 😀 and ü")]
    [InlineData("a<|endoftext|>b")]
    public void Next_IsTheLengthOfTheTextBefore(string text)
    {
        var model = TestPackage.Model;
        int[] ids = model.Encode(text);
        var offsets = new TextOffsets(model);
        var bytes = new List<byte>();
        foreach (int id in ids)
        {
            int whole = Encoding.UTF8.GetString([.. bytes]).TrimEnd('\ufffd').Length; // characters that are complete
            Assert.Equal(whole, offsets.Next(id));
            bytes.AddRange(model.TokenBytes(id));
        }
    }
}
