// Products of weights and tokens by tiles of bfloat16. Both are sums of bfloat16, of whose products those below float32's last bit
// are left out; sums are in float32. Rows of weights lie in the left tiles, tokens in the right ones: so bfloat16 weights are read where
// they are.
#pragma once
#include "kernels_amx_split.h"
#include "kernels_amx_tiles.h"

namespace latentmoe {

extern const Kernels avx512_kernels;

namespace {

template <class Tiles>
class AmxProduct {
public:
    static int64_t block_bytes(int64_t columns) { return steps_of(columns) * static_cast<int64_t>(sizeof(TokenStep)); }

    static void arrange(const float* const* a, int64_t tokens, int64_t first, int64_t last, void* block) {
        split_tokens(a, tokens, first, last, static_cast<TokenStep*>(block) + first / kStep);
    }

    static void run(const Weights& w, int64_t first, int64_t count, const float* const* a, const void* blocks, int64_t tokens, float* const* c) {
        TileShapes shapes;
        for (int tile = 0; tile < 8; tile++) {
            shapes.row_bytes[tile] = kTileBytes / kTileRows;
            shapes.rows[tile] = kTileRows;
        }
        Tiles::configure(shapes);
        with_type(w.type, [&]<WeightType type>() { rows<type>(w, first, count, static_cast<const TokenStep*>(blocks), tokens, c); });
        Tiles::release();
        const TokenStep* step = static_cast<const TokenStep*>(blocks);
        for (int64_t t = 0; t < tokens; t += kTileRows) {
            uint32_t wild = 0;
            for (int64_t s = 0; s < steps_of(w.columns); s++, step++) {
                wild |= step->wild;
            }
            for (int64_t i = t; wild != 0; i++, wild >>= 1) {
                if (wild & 1) {
                    avx512_kernels.dot(w, first, first + count, a + i, 1, c + i);
                }
            }
        }
    }

private:
    // Steps of a pass: so many of two groups of rows lie on the stack.
    static constexpr int64_t pass = 16;

    // Sixteen rows: whole steps from `start` on, and the last one where it is not whole.
    struct Group {
        const std::byte* start;
        int64_t pitch, step;  // bytes from row to row, and from step to step
        const RowStep* last;
    };

    static int64_t steps_of(int64_t columns) { return (columns + kStep - 1) / kStep; }

    template <WeightType type>
    static void rows(const Weights& w, int64_t first, int64_t count, const TokenStep* blocks, int64_t tokens, float* const* c) {
        RowStep split[2][pass];
        int64_t steps = steps_of(w.columns);
        for (int64_t begin = 0; begin < steps; begin += pass) {
            int64_t columns = w.columns - begin * kStep < pass * kStep ? w.columns - begin * kStep : pass * kStep;
            Weights part = w.band(begin * kStep, columns);
            for (int64_t i = 0; i < count; i += 2 * kTileRows) {
                int64_t height = count - i < 2 * kTileRows ? count - i : 2 * kTileRows;
                Group upper = group<type>(part, first + i, height < kTileRows ? height : kTileRows, split[0]), lower = upper;
                if (height > kTileRows) {
                    lower = group<type>(part, first + i + kTileRows, height - kTileRows, split[1]);
                }
                for (int64_t t = 0; t < tokens; t += 2 * kTileRows) {
                    const TokenStep* near = blocks + t / kTileRows * steps + begin;
                    if (tokens - t > kTileRows) {
                        square<type, 2>(columns, upper, lower, near, near + steps, height, tokens - t, c + t, i, begin > 0);
                    } else {
                        square<type, 1>(columns, upper, lower, near, near, height, tokens - t, c + t, i, begin > 0);
                    }
                }
            }
        }
    }

    /// Only whole rows of bfloat16 are tiles as they are; a tile must not reach beyond a row, for the matrix may end there.
    template <WeightType type>
    static Group group(const Weights& w, int64_t first, int64_t count, RowStep* split) {
        if (type == WeightType::BF16 && count == kTileRows) {
            int64_t whole = w.columns / kStep;
            split_rows<type>(w, first, count, whole * kStep, split);
            return {w.row(first), w.bytes(w.pitch()), kStep * 2, split};
        }
        split_rows<type>(w, first, count, 0, split);
        return {reinterpret_cast<const std::byte*>(split), kTileBytes / kTileRows, sizeof(RowStep), split + w.columns / kStep};
    }

    /// Two groups of rows times one or two blocks of tokens.
    template <WeightType type, int blocks>
    static void square(int64_t columns, const Group& upper, const Group& lower, const TokenStep* near, const TokenStep* far, int64_t height,
                       int64_t tokens, float* const* c, int64_t at, bool add) {
        Tiles::template zero<0>();
        Tiles::template zero<2>();
        if constexpr (blocks == 2) {
            Tiles::template zero<1>();
            Tiles::template zero<3>();
        }
        int64_t whole = columns / kStep, s = 0;
        for (; s < whole; s++) {
            step<type, blocks>(upper.start + s * upper.step, upper.pitch, lower.start + s * lower.step, lower.pitch, near + s, far + s);
        }
        if (columns % kStep != 0) {
            constexpr int64_t pitch = kTileBytes / kTileRows;
            step<type, blocks>(upper.last, pitch, lower.last, pitch, near + s, far + s);
        }
        alignas(64) float sums[2][2][kTileRows][kTileRows];  // (group, block, row, token)
        Tiles::template store<0>(sums[0][0], 64);
        Tiles::template store<2>(sums[1][0], 64);
        if constexpr (blocks == 2) {
            Tiles::template store<1>(sums[0][1], 64);
            Tiles::template store<3>(sums[1][1], 64);
        }
        for (int g = 0; g * kTileRows < height; g++) {
            for (int b = 0; b < blocks; b++) {
                turn(sums[g][b], height - g * kTileRows, tokens - b * kTileRows, c + b * kTileRows, at + g * kTileRows, add);
            }
        }
    }

    // Sums in tiles 0 to 3, rows of weights in 4 and 5, tokens in 6 and 7. Of part i of the rows and j of the tokens, i + j ≤ 2.
    template <WeightType type, int blocks>
    LATENTMOE_INLINE static void step(const void* upper, int64_t upper_pitch, const void* lower, int64_t lower_pitch, const TokenStep* near,
                                      const TokenStep* far) {
        weights(upper, upper_pitch, lower, lower_pitch, 0);
        tokens<blocks>(near, far, 2);
        multiply<blocks>();
        tokens<blocks>(near, far, 1);
        multiply<blocks>();
        tokens<blocks>(near, far, 0);
        multiply<blocks>();
        if constexpr (kRowParts<type> > 2) {
            weights(upper, upper_pitch, lower, lower_pitch, 2);
            multiply<blocks>();
        }
        if constexpr (kRowParts<type> > 1) {
            weights(upper, upper_pitch, lower, lower_pitch, 1);
            multiply<blocks>();
            tokens<blocks>(near, far, 1);
            multiply<blocks>();
        }
    }

    LATENTMOE_INLINE static void weights(const void* upper, int64_t upper_pitch, const void* lower, int64_t lower_pitch, int part) {
        Tiles::template load<4>(static_cast<const std::byte*>(upper) + part * kTileBytes, upper_pitch);
        Tiles::template load<5>(static_cast<const std::byte*>(lower) + part * kTileBytes, lower_pitch);
    }

    template <int blocks>
    LATENTMOE_INLINE static void tokens(const TokenStep* near, const TokenStep* far, int part) {
        Tiles::template load<6>(near->part[part], 64);
        if constexpr (blocks == 2) {
            Tiles::template load<7>(far->part[part], 64);
        }
    }

    template <int blocks>
    LATENTMOE_INLINE static void multiply() {
        Tiles::template multiply<0, 4, 6>();
        Tiles::template multiply<2, 5, 6>();
        if constexpr (blocks == 2) {
            Tiles::template multiply<1, 4, 7>();
            Tiles::template multiply<3, 5, 7>();
        }
    }

    /// c[t][at + i] (+)= sums[i][t] for as many rows and tokens as there are.
    static void turn(const float (&sums)[kTileRows][kTileRows], int64_t rows, int64_t tokens, float* const* c, int64_t at, bool add) {
        __m512 x[16];
        for (int i = 0; i < 16; i++) {
            x[i] = _mm512_load_ps(sums[i]);
        }
        Avx512::transpose(x);
        auto some = static_cast<__mmask16>(rows < kTileRows ? (1 << rows) - 1 : 0xffff);
        for (int64_t t = 0; t < kTileRows && t < tokens; t++) {
            float* out = c[t] + at;
            _mm512_mask_storeu_ps(out, some, add ? _mm512_add_ps(x[t], _mm512_maskz_loadu_ps(some, out)) : x[t]);
        }
    }
};

template <class Tiles>
constexpr MatrixUnit amx_unit_of() {
    return {.block_bytes = AmxProduct<Tiles>::block_bytes, .arrange = AmxProduct<Tiles>::arrange, .product = AmxProduct<Tiles>::run};
}

}  // namespace
}  // namespace latentmoe
