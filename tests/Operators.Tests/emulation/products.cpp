// A warp's matrix product, which most of the tests' time goes into: compiled without sanitizers.
#include "../../../runtime/ops/cpu/half.h"
#include "warp.h"

namespace latentmoe::emulation {
namespace {

// d (16, 8) += a (16, 16) · b (16, 8) over lanes l = 4 g + t. Of the pairs, a: (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8);
// b: (2t, g), (2t + 8, g), down a column; d: (g, 2t), (g + 8, 2t).
template <float (*widen)(uint16_t)>
void products(Operands lanes) {
    float a[16][16], b[16][8], d[16][8];
    for (int lane = 0; lane < 32; lane++) {
        const auto& part = *static_cast<const Fragments*>(lanes[lane]);
        const int g = lane / 4, t = lane % 4 * 2;
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 4; i++) {
                a[g + i % 2 * 8][t + i / 2 * 8 + half] = widen(static_cast<uint16_t>(part.a[i] >> (16 * half)));
            }
            for (int i = 0; i < 2; i++) {
                b[t + i * 8 + half][g] = widen(static_cast<uint16_t>(part.b[i] >> (16 * half)));
                d[g + i * 8][t + half] = part.d[2 * i + half];
            }
        }
    }
    for (int row = 0; row < 16; row++) {
        for (int k = 0; k < 16; k++) {
            for (int column = 0; column < 8; column++) {
                d[row][column] += a[row][k] * b[k][column];
            }
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        const auto& part = *static_cast<const Fragments*>(lanes[lane]);
        for (int i = 0; i < 4; i++) {
            part.d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
        }
    }
}

}  // namespace

void products_f16(Operands lanes) { products<float_of_f16>(lanes); }
void products_bf16(Operands lanes) { products<float_of_bf16>(lanes); }

}  // namespace latentmoe::emulation
