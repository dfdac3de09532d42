#include "../kernels/plain_tile.h"
#include "../kernels/tile_shape.h"
#include "experts.h"

#include <array>
#include <limits>

namespace latentmoe::cuda {
namespace {

bool aligned(const void* address, uintptr_t step) { return reinterpret_cast<uintptr_t>(address) % step == 0; }

/// See TiledProduct.
bool fits_tensor_cores(const ExpertsCall& call) {
    return call.type != Type::F32 && aligned(call.x, 16) && aligned(call.y, 16) && call.all_weights([](const Weights& weights) {
               return aligned(weights.data, 16) && weights.columns % 8 == 0 &&
                      (!weights.quantised() || (weights.block == 32 && weights.columns % 64 == 0 && aligned(weights.scales, 4)));
           });
}

template <typename Shape>
constexpr ExpertTileSize size_of(const char* name, int bits) {
    return {name, Shape::rows, Shape::tokens, Shape::threads, Shape::shared_bytes(bits)};
}

template <int bits, typename Largest>
constexpr std::array sizes_of{size_of<Tile8>("tile8", bits), size_of<Tile16>("tile16", bits), size_of<Tile32>("tile32", bits),
                              size_of<Tile64>("tile64", bits), size_of<Largest>("tile128", bits)};

using Plain = PlainTile<64>;
constexpr std::array plain_size{ExpertTileSize{"plain", Plain::rows, Plain::tokens, Plain::threads, Plain::shared_bytes, true}};

}  // namespace

std::span<const ExpertTileSize> expert_tile_sizes(const ExpertsCall& call) {
    if (call.pairs() == 0 || call.pairs() > std::numeric_limits<int32_t>::max() / 2) {  // which kernels count in 32 bits
        return {};
    }
    if (!fits_tensor_cores(call)) {
        return plain_size;
    }
    std::span<const ExpertTileSize> sizes = sizes_of<16, Tile128>;
    if (call.w.down.quantised()) {
        sizes = call.w.down.type == WeightType::Int8 ? std::span(sizes_of<8, QuantisedTile128>) : std::span(sizes_of<4, QuantisedTile128>);
    }
    while (!sizes.empty() && sizes.back().shared > static_cast<int64_t>(call.device.properties().shared_bytes)) {
        sizes = sizes.first(sizes.size() - 1);
    }
    return sizes;
}

void mix_experts_by_tile(const ExpertsCall& call, const ExpertTileSize& size) {
    const auto number = [](int64_t value) { return static_cast<int32_t>(value); };
    Device& device = call.device;
    const ExpertWeights& w = call.w;
    const int64_t pairs = call.pairs(), places = pairs / size.tokens + w.experts, shared_tiles = ceiling(call.tokens, size.tokens);
    const int64_t shared_width = call.shared > 0 ? call.width : 0;
    auto* order = device.array<int32_t>(pairs);
    auto* tiles = device.array<int32_t>(3 * places);  // of ExpertTile
    void *middle = call.numbers(pairs * call.hidden), *shared_middle = call.numbers(call.tokens * call.shared);
    void *parts = call.numbers(pairs * call.width), *shared_part = shared_width > 0 ? call.numbers(call.tokens * shared_width) : nullptr;
    const int32_t experts = number(w.experts), slots = number(call.slots), width = number(call.width), hidden = number(call.hidden),
                  shared = number(call.shared), tokens = number(call.tokens), block = number(w.gate_up.block);
    const auto kernel = [&](const char* stem) { return call.kernel(std::string(stem) + size.name); };
    const auto grid = [&](int64_t routed_rows, int64_t shared_rows, int64_t rows) {
        return Grid{places * ceiling(routed_rows, rows) + shared_tiles * ceiling(shared_rows, rows)};
    };
    const auto threads = static_cast<unsigned>(size.threads);
    const auto memory = static_cast<size_t>(size.shared);

    constexpr unsigned group_warps = 8;
    device.launch("experts_group", {w.experts}, group_warps * 32, group_warps * 2 * sizeof(int32_t), call.chosen, number(pairs), experts,
                  number(size.tokens), order, tiles);
    device.launch(kernel("experts_hidden_"), grid(call.hidden, call.shared, size.rows / 2), threads, memory, w.gate_up.data,
                  w.gate_up.scales, w.shared_gate_up.data, w.shared_gate_up.scales, block, slots, width, hidden, shared, tokens, call.x,
                  order, tiles, middle, shared_middle);
    device.launch(kernel("experts_output_"), grid(call.width, shared_width, size.rows), threads, memory, w.down.data, w.down.scales,
                  w.shared_down.data, w.shared_down.scales, block, width, hidden, shared, tokens, middle, shared_middle,
                  order, tiles, parts, shared_part);
    constexpr int64_t sum_threads = 256;
    const int64_t numbers_of_block = sum_threads * (size.plain ? 1 : 8);
    device.launch(kernel_name(size.plain ? "experts_plain_sum" : "experts_sum", call.type),
                  {ceiling(call.tokens * call.width, numbers_of_block)}, sum_threads, 0, call.chosen, call.shares, experts, slots, width,
                  call.tokens, parts, shared_part, call.y);
}

}  // namespace latentmoe::cuda
