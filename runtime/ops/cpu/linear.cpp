#include "operators.h"
#include "products.h"

namespace latentmoe {
namespace {

// Parts of a product with many tokens, and tokens of one that outweigh packing.
constexpr int64_t kParts = 8, kLeastTokens = 96;

}  // namespace

void linear(Host& host, const Kernels& kernels, const Weights& w, const float* x, int64_t tokens, float* y) {
    auto token = [&](int64_t t) { return x + t * w.columns; };
    if (many(kernels, tokens)) {
        TokenBlocks blocks(host, kernels, tokens, w.columns);
        host.parallel(blocks.count(), [&](int64_t i) { blocks.arrange(i, 0, w.columns, token); });
        int64_t panels = (w.rows + kernels.panel - 1) / kernels.panel;
        // Few panels leave threads idle: then each is packed again for a part of the tokens.
        int64_t wanted = kernels.unit == nullptr && panels < kParts ? kParts / panels : 1;
        int64_t step = std::max(kLeastTokens, (tokens + wanted - 1) / wanted), spans = (tokens + step - 1) / step;
        host.parallel(panels * spans, [&](int64_t part) {
            int64_t first = part / spans * kernels.panel, count = std::min(kernels.panel, w.rows - first), begin = part % spans * step;
            auto in = [&](int64_t t) { return token(begin + t); };
            auto out = [&](int64_t t) { return y + (begin + t) * w.rows + first; };
            panel_rows(kernels, w, first, count, std::min(step, tokens - begin), true, in, blocks, out, [](int64_t, int64_t) {});
        });
        return;
    }
    int64_t parts = streamed_parts(w.rows * w.bytes(w.columns)), rows = (w.rows + parts - 1) / parts;
    rows = std::max<int64_t>((rows + 7) / 8 * 8, 8);
    host.parallel((w.rows + rows - 1) / rows, [&](int64_t part) {
        int64_t first = part * rows, last = std::min(first + rows, w.rows);
        stream_rows(kernels, w, first, last, tokens, token, [&](int64_t t) { return y + t * w.rows + first; });
    });
}

}  // namespace latentmoe
