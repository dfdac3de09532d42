// One row's logits, and sums and searches over them by a block. All sums are of integers, so that no order of threads shows in a result.
#pragma once
#include "numbers.cuh"
#include "select_token_shape.h"

namespace latentmoe::cuda {

DEVICE uint64_t shuffle_xor(uint64_t value, uint32_t mask) {
    return uint64_t(shuffle_xor(uint32_t(value >> 32), mask)) << 32 | shuffle_xor(uint32_t(value), mask);
}
DEVICE uint64_t shuffle_up(uint64_t value, uint32_t distance) {
    return uint64_t(shuffle_up(uint32_t(value >> 32), distance)) << 32 | shuffle_up(uint32_t(value), distance);
}
DEVICE uint64_t warp_sum(uint64_t value) {
    for (uint32_t mask = 16; mask > 0; mask /= 2) {
        value += shuffle_xor(value, mask);
    }
    return value;
}
DEVICE uint64_t warp_max(uint64_t value) {
    for (uint32_t mask = 16; mask > 0; mask /= 2) {
        const uint64_t other = shuffle_xor(value, mask);
        value = value > other ? value : other;
    }
    return value;
}

/// The logit's bits in an order that integers share; those of -0 are those of +0.
DEVICE uint32_t ordered_bits(float logit) {
    const uint32_t bits = bits_of(logit + 0.0f);
    return bits >> 31 ? ~bits : bits | 0x80000000;
}

/// How many of the ordered bits, a multiple of 4, tell numbers of the type apart.
template <typename T>
inline constexpr int key_bits = 32;
template <>
inline constexpr int key_bits<f16> = 20;
template <>
inline constexpr int key_bits<bf16> = 16;

/// Ids in the order of logits and then of lower ids, down to the one with this key and this id.
struct Limit {
    uint32_t key;
    int32_t id;
    DEVICE bool keeps(uint32_t other, int32_t other_id) const { return other > key || (other == key && other_id <= id); }
};

/// Each warp has a stretch of the ids, each lane eight of every 256.
template <typename T>
class LogitRow {
public:
    static constexpr int digit = SelectionShape::digit, values = SelectionShape::values, warps = SelectionShape::warps;

    DEVICE LogitRow(const T* logits, int32_t vocabulary) : logits(logits) {
        constexpr int32_t together = 256 * warps;
        const int32_t stretch = (vocabulary / together + (vocabulary % together != 0)) * 256;
        const int64_t first = int64_t(warp_index()) * stretch;
        begin = int32_t(first < vocabulary ? first : vocabulary);
        end = vocabulary - begin < stretch ? vocabulary : begin + stretch;
        whole = reinterpret_cast<uintptr_t>(logits) % 16 == 0;
    }

    DEVICE static uint32_t key(float logit) { return ordered_bits(logit) >> (32 - key_bits<T>); }

    /// Calls each(id, logit) for the lane's ids in their order.
    template <typename Each>
    DEVICE void visit(Each each) const {
        for (int32_t at = begin + int32_t(lane_index()) * 8; at < end; at += 256) {
            visit_eight(at, each);
        }
    }

    /// Of measure(id, logit), a uint64_t, over all ids.
    template <typename Measure>
    DEVICE uint64_t sum(Measure measure) const {
        share(own_sum(measure));
        uint64_t total = 0;
        UNROLL(4)
        for (int i = 0; i < warps; i++) {
            total += totals()[i];
        }
        block_barrier();
        return total;
    }

    /// The first of the ids that together with those before it measures more than `mass`; −1 if all do not.
    template <typename Measure>
    DEVICE int32_t find(uint64_t mass, Measure measure) const {
        if (thread_index() == 0) {
            *found() = -1;
        }
        share(own_sum(measure));
        uint64_t before = 0;
        int32_t warp = 0;
        while (warp < warps && before + totals()[warp] <= mass) {
            before += totals()[warp++];
        }
        if (warp == int32_t(warp_index())) {
            find_in_stretch(mass - before, measure);
        }
        block_barrier();
        const int32_t id = *found();
        block_barrier();
        return id;
    }

    /// The limit that keeps the fewest ids, of those that `limit` keeps, whose measures sum to at least `need`, which is at least 1 and at
    /// most all of them. Equal logits measure the same.
    template <typename Measure>
    DEVICE Limit narrow(Limit limit, uint64_t need, Measure measure) const {
        uint32_t prefix = 0;
        for (int32_t shift = key_bits<T> - digit; shift >= 0; shift -= digit) {
            uint64_t* column = columns() + thread_index();
            UNROLL(16)
            for (int i = 0; i < values; i++) {
                column[i * SelectionShape::threads] = 0;
            }
            visit([&](int32_t id, float logit) {
                const uint32_t key = LogitRow::key(logit);
                if (key >> shift >> digit == prefix && limit.keeps(key, id)) {
                    column[(key >> shift & (values - 1)) * SelectionShape::threads] += measure(id, logit);
                }
            });
            block_barrier();
            const uint64_t* own = columns() + warp_index() * SelectionShape::threads;
            uint64_t total = 0;
            UNROLL(4)
            for (uint32_t i = lane_index(); i < SelectionShape::threads; i += 32) {
                total += own[i];
            }
            share(warp_sum(total));
            int32_t value = values - 1;
            while (value > 0 && totals()[value] < need) {
                need -= totals()[value--];
            }
            prefix = prefix << digit | uint32_t(value);
        }
        block_barrier();
        const int32_t last = find(need - 1, [&](int32_t id, float logit) {
            const uint32_t key = LogitRow::key(logit);
            return key == prefix && limit.keeps(key, id) ? measure(id, logit) : 0;
        });
        return {prefix, last};
    }

    /// Each warp's number to the totals, which all threads may read behind it; before it is called again they meet at a barrier.
    DEVICE static void share(uint64_t value) {
        if (lane_index() == 0) {
            totals()[warp_index()] = value;
        }
        block_barrier();
    }
    DEVICE static uint64_t* totals() { return columns() + values * SelectionShape::threads; }

private:
    DEVICE static uint64_t* columns() { return reinterpret_cast<uint64_t*>(shared_memory()); }
    DEVICE static int32_t* found() { return reinterpret_cast<int32_t*>(totals() + warps); }

    template <typename Each>
    DEVICE void visit_eight(int32_t at, Each each) const {
        float eight[8];
        if (whole && end - at >= 8) {
            read_numbers(logits + at, eight);
            UNROLL(8)
            for (int i = 0; i < 8; i++) {
                each(at + i, eight[i]);
            }
        } else {
            for (int i = 0; i < 8; i++) {
                if (at + i < end) {
                    each(at + i, to_float(logits[at + i]));
                }
            }
        }
    }

    template <typename Measure>
    DEVICE uint64_t own_sum(Measure measure) const {
        uint64_t total = 0;
        visit([&](int32_t id, float logit) { total += measure(id, logit); });
        return warp_sum(total);
    }

    template <typename Measure>
    DEVICE void find_in_stretch(uint64_t mass, Measure measure) const {
        for (int32_t start = begin; start < end; start += 256) {
            const int32_t at = start + int32_t(lane_index()) * 8;
            uint64_t own = 0;
            visit_eight(at, [&](int32_t id, float logit) { own += measure(id, logit); });
            uint64_t upto = own;
            for (uint32_t distance = 1; distance < 32; distance *= 2) {
                const uint64_t other = shuffle_up(upto, distance);
                upto += lane_index() >= distance ? other : 0;
            }
            if (ballot(upto > mass) != 0) {
                if (upto > mass && upto - own <= mass) {
                    uint64_t sum = upto - own;
                    bool open = true;
                    visit_eight(at, [&](int32_t id, float logit) {
                        sum += measure(id, logit);
                        if (open && sum > mass) {
                            *found() = id;
                            open = false;
                        }
                    });
                }
                return;
            }
            mass -= uint64_t(shuffle(uint32_t(upto >> 32), 31)) << 32 | shuffle(uint32_t(upto), 31);
        }
    }

    const T* logits;
    int32_t begin, end;
    bool whole;
};

}  // namespace latentmoe::cuda
