// Products of weights with many tokens at once, for the operators. Tokens are named by functions from index to row.
#pragma once
#include "host.h"
#include "kernels.h"

#include <algorithm>
#include <thread>

namespace latentmoe {

/// From this many tokens on, rows are packed into panels; below, they are streamed.
inline bool many(const Kernels& kernels, int64_t tokens) { return tokens > kernels.few; }

inline int64_t cores() {
    static const int64_t count = std::max(1u, std::thread::hardware_concurrency());
    return count;
}

/// Parts for so many bytes of weights that are read once: equally many for all cores, each long enough for memory to come at its full
/// speed.
inline int64_t streamed_parts(int64_t bytes) {
    constexpr int64_t least = 32 << 10;
    const int64_t most = bytes / least;
    return most < cores() ? std::max<int64_t>(most, 1) : std::min<int64_t>((most + cores() - 1) / cores(), 8) * cores();
}

/// Asks for the first bytes of rows that will be read soon.
inline void fetch(const Weights& w, int64_t first, int64_t count) {
    constexpr int64_t line = 64, most = 8 << 10;
    const std::byte* rows = w.row(first);
    for (int64_t i = 0, size = std::min(most, count * w.bytes(w.pitch())); i < size; i += line) {
        __builtin_prefetch(rows + i);
    }
    if (w.quantised()) {
        const auto* scales = reinterpret_cast<const std::byte*>(w.row_scales(first));
        for (int64_t i = 0, size = std::min(most, count * (w.pitch() / w.block) * 2); i < size; i += line) {
            __builtin_prefetch(scales + i);
        }
    }
}

/// The most tokens that any set's `dot` takes.
inline constexpr int64_t kMostFew = 24;

/// c(t)[i − first] = a(t) · row i of w, for first ≤ i < last and t < tokens; weights are read once for every `few` tokens.
template <typename A, typename C>
void stream_rows(const Kernels& kernels, const Weights& w, int64_t first, int64_t last, int64_t tokens, A a, C c) {
    const float* x[kMostFew];
    float* y[kMostFew];
    for (int64_t begin = 0; begin < tokens; begin += kernels.few) {
        int64_t count = std::min(kernels.few, tokens - begin);
        for (int64_t t = 0; t < count; t++) {
            x[t] = a(begin + t);
            y[t] = c(begin + t);
        }
        kernels.dot(w, first, last, x, count, y);
    }
}

/// The widest panel of all instruction sets, and the most floats of a packed one: with it, the columns of a pass.
inline constexpr int64_t kMostPanel = 64, kPanelFloats = kMostPanel * 512;

inline int64_t pass_columns(const Kernels& kernels) { return kPanelFloats / kernels.panel; }

/// Tokens that a panel is multiplied with at a time, and those of a matrix unit, for which each part of the panel is made ready again.
inline constexpr int64_t kTokens = 48, kUnitTokens = 256;

inline int64_t pass_tokens(const Kernels& kernels) { return kernels.unit != nullptr ? kUnitTokens : kTokens; }

/// Tokens in the order of a set's matrix unit; empty where it has none.
class TokenBlocks {
public:
    static constexpr int64_t size = 16;

    TokenBlocks() = default;

    /// Room for them, to be filled by `arrange`.
    TokenBlocks(Host& host, const Kernels& kernels, int64_t tokens, int64_t columns) : unit(kernels.unit), tokens(tokens) {
        if (unit != nullptr) {
            bytes = unit->block_bytes(columns);
            data = host.array<std::byte>(count() * bytes);
        }
    }

    /// Of blocks.
    int64_t count() const { return unit != nullptr ? (tokens + size - 1) / size : 0; }

    /// Columns [first, last) of one block's tokens a(t); first is a multiple of 32.
    template <typename A>
    void arrange(int64_t block, int64_t first, int64_t last, A a) const {
        const float* x[size];
        int64_t begin = block * size, part = std::min(size, tokens - begin);
        for (int64_t t = 0; t < part; t++) {
            x[t] = a(begin + t);
        }
        unit->arrange(x, part, first, last, data + block * bytes);
    }

    /// The blocks from the one that token t begins.
    const void* from(int64_t t) const { return data + t / size * bytes; }

private:
    const MatrixUnit* unit = nullptr;
    int64_t tokens = 0, bytes = 0;
    std::byte* data = nullptr;
};

/// As panel_rows, by the set's matrix unit.
template <typename A, typename C, typename Each>
void unit_rows(const Kernels& kernels, const Weights& w, int64_t first, int64_t count, int64_t tokens, A a, const TokenBlocks& blocks, C c,
               Each each) {
    const float* x[kUnitTokens];
    float* y[kUnitTokens];
    for (int64_t begin = 0; begin < tokens; begin += kUnitTokens) {
        int64_t size = std::min(kUnitTokens, tokens - begin);
        for (int64_t t = 0; t < size; t++) {
            x[t] = a(begin + t);
            y[t] = c(begin + t);
        }
        kernels.unit->product(w, first, count, x, blocks.from(begin), size, y);
        each(begin, begin + size);
    }
}

/// c(t)[i] (+)= a(t) · row first + i of w, for i < count ≤ panel: a panel is packed once for all tokens.
/// `each` is told of the tokens [begin, end), at most pass_tokens, whose products with the columns of this pass are done.
template <typename A, typename C, typename Each>
void panel_rows(const Kernels& kernels, const Weights& w, int64_t first, int64_t count, int64_t tokens, bool add, A a, const TokenBlocks& blocks,
                C c, Each each) {
    if (kernels.unit != nullptr) {
        return unit_rows(kernels, w, first, count, tokens, a, blocks, c, each);
    }
    alignas(64) float panel[kPanelFloats];
    const float* x[kTokens];
    float* y[kTokens];
    for (int64_t column = 0; column < w.columns; column += pass_columns(kernels)) {
        Weights band = w.band(column, std::min(pass_columns(kernels), w.columns - column));
        kernels.pack(band, first, count, panel);
        for (int64_t begin = 0; begin < tokens; begin += kTokens) {
            int64_t size = std::min(kTokens, tokens - begin);
            for (int64_t t = 0; t < size; t++) {
                x[t] = a(begin + t) + column;
                y[t] = c(begin + t);
            }
            kernels.multiply(x, size, band.columns, panel, kernels.panel, y, count, add && column > 0);
            each(begin, begin + size);
        }
    }
}

}  // namespace latentmoe
