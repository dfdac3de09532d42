// What lanes do together, by the tables of the PTX manual, and copies that run beside them.
#include "../../../runtime/ops/cuda/kernels/portable.cuh"
#include "../native/check.h"
#include "../native/numbers.h"
#include "refusal.h"

using namespace latentmoe;
using namespace latentmoe::cuda;
using namespace latentmoe::test;

namespace {

KERNEL(test_exchange, 32, (const uint32_t* x, uint32_t* y)) {
    const uint32_t lane = lane_index(), value = x[lane];
    y[lane] = shuffle(value, 31 - lane);
    y[32 + lane] = shuffle_xor(value, 5);
    y[64 + lane] = shuffle_up(value, 3);
    y[96 + lane] = ballot(value % 3 == 0);
    y[128 + lane] = warp_largest(value);
    y[160 + lane] = warp_least(value);
    y[192 + lane] = bits_of(warp_sum(float(value)));
    y[224 + lane] = shuffle(value, 33);
}

/// Four matrices of 8 rows of 16 bytes in shared memory, rows in the order of the matrices.
KERNEL(test_load_matrices, 32, (const uint16_t* x, uint32_t transposed, uint32_t* y)) {
    auto* shared = reinterpret_cast<uint16_t*>(shared_memory());
    for (uint32_t i = lane_index(); i < 256; i += 32) {
        shared[i] = x[i];
    }
    warp_barrier();
    uint32_t result[4];
    if (transposed) {
        load_matrices_transposed(result, shared + 8 * lane_index());
    } else {
        load_matrices(result, shared + 8 * lane_index());
    }
    for (uint32_t i = 0; i < 4; i++) {
        y[4 * lane_index() + i] = result[i];
    }
}

template <typename T>
DEVICE void multiply(const uint32_t* a, const uint32_t* b, float* d) {
    const uint32_t lane = lane_index();
    const uint32_t a_part[4] = {a[4 * lane], a[4 * lane + 1], a[4 * lane + 2], a[4 * lane + 3]}, b_part[2] = {b[2 * lane], b[2 * lane + 1]};
    float d_part[4] = {d[4 * lane], d[4 * lane + 1], d[4 * lane + 2], d[4 * lane + 3]};
    multiply_accumulate<T>(d_part, a_part, b_part);
    for (uint32_t i = 0; i < 4; i++) {
        d[4 * lane + i] = d_part[i];
    }
}

KERNEL(test_multiply_f16, 32, (const uint32_t* a, const uint32_t* b, float* d)) { multiply<f16>(a, b, d); }
KERNEL(test_multiply_bf16, 32, (const uint32_t* a, const uint32_t* b, float* d)) { multiply<bf16>(a, b, d); }

/// Two groups of copies; what is seen of them before and after each wait.
KERNEL(test_copy_async, 32, (const uint32_t* x, uint32_t bytes, uint32_t* y)) {
    auto* first = reinterpret_cast<uint32_t*>(shared_memory()) + 4 * lane_index();
    uint32_t *second = first + 128, *seen = y + 9 * lane_index();
    copy_async16(first, x + 4 * lane_index(), bytes);
    copy_async_commit();
    copy_async4(second, x + lane_index());
    copy_async_commit();
    seen[0] = first[0];
    seen[1] = second[0];
    copy_async_wait<1>();
    seen[2] = second[0];
    for (uint32_t i = 0; i < 4; i++) {
        seen[3 + i] = first[i];
    }
    copy_async_wait<0>();
    seen[7] = second[0];
    seen[8] = second[1];
}

KERNEL(test_copy_wide, 32, (const uint32_t* x, int64_t shared, int64_t global, uint32_t bytes)) {
    copy_async16(shared_memory() + shared, reinterpret_cast<const unsigned char*>(x) + global, bytes);
}

std::vector<uint32_t> counted(uint32_t count, uint32_t factor, uint32_t start) {
    std::vector<uint32_t> values(count);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = start + factor * i;
    }
    return values;
}

// The manual's tables of m16n8k16, by lane and number of the fragment.
struct Place {
    uint32_t row, column;
};
Place place_in_a(uint32_t lane, uint32_t i) { return {lane / 4 + (i % 4 < 2 ? 0 : 8), lane % 4 * 2 + i % 2 + (i < 4 ? 0 : 8)}; }
Place place_in_b(uint32_t lane, uint32_t i) { return {lane % 4 * 2 + i % 2 + (i < 2 ? 0 : 8), lane / 4}; }
Place place_in_d(uint32_t lane, uint32_t i) { return {lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + i % 2}; }

void check_multiply(std::string_view kernel, uint16_t (*narrow)(double), double (*widen)(uint16_t)) {
    Random random(9);
    double a[16][16], b[16][8], d[16][8];
    std::vector<uint32_t> a_parts(32 * 4), b_parts(32 * 2);
    std::vector<float> d_parts(32 * 4);
    const auto put = [&](uint32_t& pair, uint32_t i, double& number) {
        const uint16_t half = narrow(random.normal());
        number = widen(half);
        pair |= uint32_t{half} << (i % 2 * 16);
    };
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (uint32_t i = 0; i < 8; i++) {
            const Place place = place_in_a(lane, i);
            put(a_parts[4 * lane + i / 2], i, a[place.row][place.column]);
        }
        for (uint32_t i = 0; i < 4; i++) {
            const Place place = place_in_b(lane, i), sum = place_in_d(lane, i);
            put(b_parts[2 * lane + i / 2], i, b[place.row][place.column]);
            d_parts[4 * lane + i] = static_cast<float>(random.normal());
            d[sum.row][sum.column] = d_parts[4 * lane + i];
        }
    }
    const auto device = open_test_device();
    const Buffer<uint32_t> a_buffer(*device, a_parts), b_buffer(*device, b_parts);
    const Buffer<float> d_buffer(*device, d_parts);
    device->device().launch(kernel, {1}, 32, 0, a_buffer.data(), b_buffer.data(), d_buffer.data());
    std::vector<double> expected;
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (uint32_t i = 0; i < 4; i++) {
            const Place place = place_in_d(lane, i);
            double sum = d[place.row][place.column];
            for (uint32_t k = 0; k < 16; k++) {
                sum += a[place.row][k] * b[k][place.column];
            }
            expected.push_back(sum);
        }
    }
    close(std::string(kernel), expected, d_buffer.values().data(), 1e-6);
}

}  // namespace

TEST(emulation_lanes_exchange) {
    const auto device = open_test_device();
    const std::vector<uint32_t> x = counted(32, 37, 5);
    const Buffer<uint32_t> input(*device, x), y(*device, 8 * 32);
    device->device().launch("test_exchange", {1}, 32, 0, static_cast<const uint32_t*>(input.data()), y.data());
    std::vector<uint32_t> expected(8 * 32);
    uint32_t votes = 0, sum = 0;
    for (uint32_t lane = 0; lane < 32; lane++) {
        votes |= uint32_t{x[lane] % 3 == 0} << lane;
        sum += x[lane];
    }
    for (uint32_t lane = 0; lane < 32; lane++) {
        const uint32_t of_lane[] = {x[31 - lane], x[lane ^ 5], x[lane < 3 ? lane : lane - 3], votes, x[31], x[0], bits_of(float(sum)), x[1]};
        for (uint32_t i = 0; i < 8; i++) {
            expected[32 * i + lane] = of_lane[i];
        }
    }
    same("exchanged", expected, y.values().data());
}

TEST(emulation_matrices_are_spread_over_lanes) {
    const auto device = open_test_device();
    std::vector<uint16_t> x(256);
    for (uint16_t i = 0; i < 256; i++) {
        x[i] = i;  // matrix · 64 + row · 8 + column
    }
    const Buffer<uint16_t> input(*device, x);
    for (const uint32_t transposed : {0, 1}) {
        const Buffer<uint32_t> y(*device, 128);
        device->device().launch("test_load_matrices", {1}, 32, 512, static_cast<const uint16_t*>(input.data()), transposed, y.data());
        std::vector<uint32_t> expected;
        for (uint32_t lane = 0; lane < 32; lane++) {
            for (uint32_t i = 0; i < 4; i++) {
                const uint32_t row = lane / 4, column = lane % 4 * 2, step = transposed ? 8 : 1;
                const uint32_t first = 64 * i + (transposed ? 8 * column + row : 8 * row + column);
                expected.push_back(first | (first + step) << 16);
            }
        }
        same(text("matrices, transposed ", transposed), expected, y.values().data());
    }
}

TEST(emulation_multiplies_as_the_manual_says) {
    check_multiply("test_multiply_f16", to_f16, from_f16);
    check_multiply("test_multiply_bf16", [](double value) { return to_bf16(static_cast<float>(value)); },
                   [](uint16_t bits) { return static_cast<double>(from_bf16(bits)); });
}

TEST(emulation_copies_are_seen_after_their_wait) {
    uint32_t early = 0, late = 0;
    for (const uint32_t bytes : {0u, 4u, 12u, 16u}) {
        const auto device = open_test_device(bytes + 1);
        const std::vector<uint32_t> x = counted(128, 1, 1000);
        const Buffer<uint32_t> input(*device, x), y(*device, 32 * 9);
        device->device().launch("test_copy_async", {1}, 32, 1024, static_cast<const uint32_t*>(input.data()), bytes, y.data());
        const std::vector<uint32_t> seen = y.values();
        for (uint32_t lane = 0; lane < 32; lane++) {
            const uint32_t* of_lane = &seen[9 * lane];
            std::vector<uint32_t> expected(4);
            std::copy_n(&x[4 * lane], bytes / 4, expected.begin());
            same(text("the first group of lane ", lane), expected, of_lane + 3);
            require(of_lane[7] == x[lane] && of_lane[8] == ~0u, "the second group of lane ", lane, " is ", of_lane[7], ", ", of_lane[8]);
            for (const uint32_t i : {0, 1, 2}) {
                const uint32_t arrived = i == 0 ? expected[0] : x[lane];
                require(of_lane[i] == ~0u || of_lane[i] == arrived, "before its wait, lane ", lane, " sees ", of_lane[i]);
                (of_lane[i] == ~0u ? late : early)++;
            }
        }
    }
    require(early > 50 && late > 200, early, " copies came before their wait, ", late, " at it");
}

TEST(emulation_refuses_misplaced_copies) {
    const auto device = open_test_device();
    const Buffer<uint32_t> x(*device, 64);
    const auto copy = [&](int64_t shared, int64_t global, uint32_t bytes) {
        device->device().launch("test_copy_wide", {1}, 32, 64, static_cast<const uint32_t*>(x.data()), shared, global, bytes);
    };
    copy(48, 16, 16);
    refused("is no multiple of 16", [&] { copy(8, 0, 16); });
    refused("is no multiple of 16", [&] { copy(0, 4, 8); });
    refused("not in the block's 64 bytes", [&] { copy(64, 0, 0); });
    refused("not in the block's 64 bytes", [&] { copy(-16, 0, 0); });
    refused("copy_async of 17 bytes, of 16", [&] { copy(0, 0, 17); });
}
