// The inner loops, one set for each instruction set. Operators are written once, over this table.
#pragma once
#include "weights.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace latentmoe {

/// Products of weights with tokens that were brought into the unit's own order before, in blocks of 16.
struct MatrixUnit {
    /// Bytes of a block of tokens of so many columns, a multiple of 64.
    int64_t (*block_bytes)(int64_t columns);

    /// Columns [first, last) of up to 16 tokens into their block, which is aligned to 64; first is a multiple of 32.
    void (*arrange)(const float* const* a, int64_t tokens, int64_t first, int64_t last, void* block);

    /// c[t][i] = a[t] · row first + i of w, for i < count and t < tokens; blocks holds those of all tokens.
    void (*product)(const Weights& w, int64_t first, int64_t count, const float* const* a, const void* blocks, int64_t tokens, float* const* c);
};

/// Rows of a cache, each in two halves of so many numbers; a half's rows lie one behind the other.
struct CachedRows {
    const void *first, *second;
    int64_t half;
    bool half_precision;  // float16, else float32

    template <typename E>
    LATENTMOE_INLINE const E* side(int64_t index) const {
        return static_cast<const E*>(index == 0 ? first : second);
    }
};

/// Pointers need no alignment. All sums are in float32, and those over one row do not depend on the other rows of a call.
struct Kernels {
    const char* name;  // "plain", "avx2", "avx512", "avx512vnni", "amx"
    int64_t panel;     // rows that `pack` lays side by side
    int64_t few;       // most tokens that `dot` takes

    /// y[t][i − first] = x[t] · row i of w, for first ≤ i < last and t < tokens ≤ few; w is read once.
    void (*dot)(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t tokens, float* const* y);

    /// The same, faster where w is in a cache already, and slower where it is not.
    void (*dot_near)(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t tokens, float* const* y);

    /// out[k · panel + i] = w[first + i][k] for i < count ≤ panel, and zero up to panel.
    void (*pack)(const Weights& w, int64_t first, int64_t count, float* out);

    /// out[k] = w[row][k] for all columns.
    void (*widen)(const Weights& w, int64_t row, float* out);

    /// c[t][j] = Σ_k a[t][k] · b[k · stride + j], plus what c holds where `add`, for t < tokens, k < depth, j < columns.
    /// Rows of b are read up to their stride.
    void (*multiply)(const float* const* a, int64_t tokens, int64_t depth, const float* b, int64_t stride, float* const* c, int64_t columns,
                     bool add);

    const MatrixUnit* unit;  // does what `pack` and `multiply` do, and better; null where there is none

    /// scores[l · stride + i] = q[l] · row i, for l < lines, q [lines, 2 · half], and i < count. Rows of `next` are wanted soon.
    void (*score)(const CachedRows& rows, const CachedRows& next, int64_t count, const float* q, int64_t lines, float* scores, int64_t stride);

    /// sums[l · width + k] = Σ_i weights[l · stride + i] · row i [k], plus what sums holds where `add`, for k < width.
    void (*weigh)(const CachedRows& rows, int64_t count, const float* weights, int64_t stride, int64_t lines, float* sums, int64_t width, bool add);

    /// The largest of x; −infinity for none. A NaN is passed over.
    float (*maximum)(const float* x, int64_t count);

    /// x = exp(x − shift); returns their sum.
    float (*exponentials)(float* x, int64_t count, float shift);

    /// out = silu(gate) ∘ up, with silu(z) = z / (1 + exp(−z)).
    void (*swiglu)(const float* gate, const float* up, float* out, int64_t count);

    /// x = factor · x.
    void (*scale)(float* x, int64_t count, float factor);

    /// y = y + factor · x.
    void (*accumulate)(float* y, const float* x, int64_t count, float factor);

    /// x² summed.
    float (*squares)(const float* x, int64_t count);

    /// out = a + b; returns out² summed.
    float (*add)(const float* a, const float* b, float* out, int64_t count);

    /// out = factor · x ∘ gain.
    void (*normalise)(const float* x, const float* gain, float factor, float* out, int64_t count);

    /// Float32 to float16 (round to nearest even), and back.
    void (*narrow16)(const float* x, uint16_t* out, int64_t count);
    void (*widen16)(const uint16_t* x, float* out, int64_t count);
};

/// The best set of this machine, or the named one; null where the name is unknown or the machine lacks it.
const Kernels* best_kernels();
const Kernels* find_kernels(std::string_view name);

/// The sets of this machine, the best first, separated by commas.
std::string kernel_names();

}  // namespace latentmoe
