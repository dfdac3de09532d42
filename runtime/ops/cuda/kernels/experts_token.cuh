// The experts of one token after the other: their weights are read for it alone, a row by each warp. For few tokens, and for sizes that do
// not fill whole tiles.
#pragma once
#include "experts_dot.cuh"
#include "experts_part.cuh"

namespace latentmoe::cuda {

/// Of 16 bytes for each lane: as many as registers have room for beside the numbers that they are multiplied by.
template <typename T>
constexpr int parts_under_way = sizeof(T) == 4 ? 2 : 4;

/// The warp's products of a gate's and an up's row with x, `up` rows apart.
template <typename T, typename W>
DEVICE void gate_and_up(const WeightRows<W>& weights, int32_t row, int32_t up, int32_t width, const T* x, bool whole, float (&sums)[2]) {
    const int32_t lane = int32_t(lane_index());
    if (whole) {
        const int32_t parts = width / dot_columns<W>;
        for (int32_t i = lane; i < 2 * parts; i += 32 * parts_under_way<T>) {
            DotPart<T, W> part[parts_under_way<T>];
            UNROLL(4)
            for (int turn = 0; turn < parts_under_way<T>; turn++) {
                if (const int32_t item = i + 32 * turn; item < 2 * parts) {
                    const bool second = item >= parts;
                    part[turn].load(weights, row + (second ? up : 0), (second ? item - parts : item) * dot_columns<W>, x);
                }
            }
            UNROLL(4)
            for (int turn = 0; turn < parts_under_way<T>; turn++) {
                if (const int32_t item = i + 32 * turn; item < 2 * parts) {
                    const float sum = part[turn].sum();
                    sums[0] += item < parts ? sum : 0;
                    sums[1] += item < parts ? 0 : sum;
                }
            }
        }
    } else {
        for (int32_t column = lane; column < width; column += 32) {
            const float number = to_float(x[column]);
            sums[0] = fma_of(weights.at(row, column), number, sums[0]);
            sums[1] = fma_of(weights.at(row + up, column), number, sums[1]);
        }
    }
    sums[0] = warp_sum(sums[0]);
    sums[1] = warp_sum(sums[1]);
}

/// middle [tokens, sizes.row()]: what each token's chosen experts, and the shared ones, make of it between their two products. A warp
/// makes one number. `whole`: rows are whole parts of 16 bytes.
template <typename T, typename W>
DEVICE void experts_hidden(const WeightRows<W>& gate_up, const WeightRows<W>& shared_gate_up, const ExpertSizes& sizes, const T* x,
                           const int32_t* chosen, bool whole, T* middle) {
    const int32_t warps = int32_t(block_threads() / 32), blocks = (sizes.row() + warps - 1) / warps;
    const int64_t token = block_x() / uint32_t(blocks);
    const int32_t place = int32_t(block_x() % uint32_t(blocks)) * warps + int32_t(warp_index());
    if (place >= sizes.row()) {
        return;
    }
    const int32_t slot = place / sizes.hidden, routed = sizes.slots * sizes.hidden;
    float sums[2] = {};
    if (place < routed) {
        const int32_t expert = chosen[token * sizes.slots + slot];
        if (!sizes.chosen(expert)) {
            return;
        }
        gate_and_up(gate_up.from(int64_t(expert) * 2 * sizes.hidden), place % sizes.hidden, sizes.hidden, sizes.width,
                    x + token * sizes.width, whole, sums);
    } else {
        gate_and_up(shared_gate_up, place - routed, sizes.shared, sizes.width, x + token * sizes.width, whole, sums);
    }
    if (lane_index() == 0) {
        middle[token * sizes.row() + place] = rounded<T>(swiglu(sums[0], sums[1]));
    }
}

/// The lane's part of an output row of an expert, or of one after the other, by its hidden numbers.
template <typename T, typename W>
struct ExpertsOutput {
    WeightRows<W> down, shared_down;
    ExpertSizes sizes;
    const int32_t* chosen;  // of the token
    const float* shares;
    const T* middle;

    DEVICE float in_parts(int32_t row) const {
        const int32_t of_slot = sizes.hidden / dot_columns<W>, routed = sizes.slots * of_slot, all = routed + sizes.shared / dot_columns<W>;
        float total = 0;
        for (int32_t i = int32_t(lane_index()); i < all; i += 32 * parts_under_way<T>) {
            DotPart<T, W> part[parts_under_way<T>];
            float share[parts_under_way<T>];
            bool present[parts_under_way<T>];
            UNROLL(4)
            for (int turn = 0; turn < parts_under_way<T>; turn++) {
                const int32_t item = i + 32 * turn, slot = item < routed ? item / of_slot : 0;
                const int32_t expert = item < routed ? chosen[slot] : no_expert;
                present[turn] = item < routed ? sizes.chosen(expert) : item < all;
                if (!present[turn]) {
                    continue;
                }
                if (item < routed) {
                    share[turn] = shares[slot];
                    part[turn].load(down, int64_t(expert) * sizes.width + row, (item - slot * of_slot) * dot_columns<W>,
                                    middle + slot * sizes.hidden);
                } else {
                    share[turn] = 1;
                    part[turn].load(shared_down, row, (item - routed) * dot_columns<W>, middle + sizes.slots * sizes.hidden);
                }
            }
            UNROLL(4)
            for (int turn = 0; turn < parts_under_way<T>; turn++) {
                if (present[turn]) {
                    total = fma_of(share[turn], part[turn].sum(), total);
                }
            }
        }
        return total;
    }

    DEVICE float one_by_one(int32_t row) const {
        float total = 0;
        for (int32_t slot = 0; slot < sizes.slots; slot++) {
            if (sizes.chosen(chosen[slot])) {
                const WeightRows<W> weights = down.from(int64_t(chosen[slot]) * sizes.width);
                float sum = 0;
                for (int32_t column = int32_t(lane_index()); column < sizes.hidden; column += 32) {
                    sum = fma_of(weights.at(row, column), to_float(middle[slot * sizes.hidden + column]), sum);
                }
                total = fma_of(shares[slot], sum, total);
            }
        }
        for (int32_t column = int32_t(lane_index()); column < sizes.shared; column += 32) {
            total = fma_of(shared_down.at(row, column), to_float(middle[sizes.slots * sizes.hidden + column]), total);
        }
        return total;
    }

    /// An expert that does not exist: the whole warp sees it.
    DEVICE bool wrong() const {
        bool any = false;
        for (int32_t slot = int32_t(lane_index()); slot < sizes.slots; slot += 32) {
            any = any || sizes.wrong(chosen[slot]);
        }
        return ballot(any) != 0;
    }
};

/// y [tokens, width] from middle [tokens, sizes.row()]. A warp makes one number.
template <typename T, typename W>
DEVICE void experts_output(const WeightRows<W>& down, const WeightRows<W>& shared_down, const ExpertSizes& sizes, const int32_t* chosen,
                           const float* shares, bool whole, const T* middle, T* y) {
    const int32_t warps = int32_t(block_threads() / 32), blocks = (sizes.width + warps - 1) / warps;
    const int64_t token = block_x() / uint32_t(blocks);
    const int32_t row = int32_t(block_x() % uint32_t(blocks)) * warps + int32_t(warp_index());
    if (row >= sizes.width) {
        return;
    }
    const ExpertsOutput<T, W> output{
        down, shared_down, sizes, chosen + token * sizes.slots, shares + token * sizes.slots, middle + token * sizes.row()};
    const float total = warp_sum(whole ? output.in_parts(row) : output.one_by_one(row));
    const bool wrong = output.wrong();
    if (lane_index() == 0) {
        y[token * sizes.width + row] = rounded<T>(wrong ? float_of(0x7FC00000) : total);
    }
}

#define EXPERTS_OF_TOKEN(T, W, suffix)                                                                                                    \
    KERNEL(experts_hidden_##suffix, 128,                                                                                                  \
           (const void* gate_up, const f16* gate_up_scales, const void* shared_gate_up, const f16* shared_scales, int32_t block,          \
            int32_t experts, int32_t slots, int32_t width, int32_t hidden, int32_t shared, const T* x, const int32_t* chosen,             \
            int32_t whole, T* middle)) {                                                                                                  \
        const WeightRows<W> routed_rows{static_cast<const unsigned char*>(gate_up), gate_up_scales, width, block};                        \
        const WeightRows<W> shared_rows{static_cast<const unsigned char*>(shared_gate_up), shared_scales, width, block};                  \
        experts_hidden<T, W>(routed_rows, shared_rows, {experts, slots, width, hidden, shared}, x, chosen, whole != 0, middle);           \
    }                                                                                                                                     \
    KERNEL(experts_output_##suffix, 128,                                                                                                  \
           (const void* down, const f16* down_scales, const void* shared_down, const f16* shared_scales, int32_t block, int32_t experts,  \
            int32_t slots, int32_t width, int32_t hidden, int32_t shared, const int32_t* chosen, const float* shares, int32_t whole,      \
            const T* middle, T* y)) {                                                                                                     \
        const WeightRows<W> routed_rows{static_cast<const unsigned char*>(down), down_scales, hidden, block};                             \
        const WeightRows<W> shared_rows{static_cast<const unsigned char*>(shared_down), shared_scales, shared, block};                    \
        experts_output<T, W>(routed_rows, shared_rows, {experts, slots, width, hidden, shared}, chosen, shares, whole != 0, middle, y);   \
    }

}  // namespace latentmoe::cuda
