#include "../../ort/error.h"
#include "../kernels/plain_tile.h"
#include "../kernels/tile_shape.h"
#include "operators.h"
#include "suffix.h"

#include <algorithm>
#include <array>
#include <bit>

namespace latentmoe::cuda {
namespace {

constexpr int64_t most_columns = int64_t{1} << 30;  // kernels count columns in 32 bits

struct Product {
    Device& device;
    Type type;
    const Weights& w;
    const void* x;
    int64_t tokens;
    void* y;

    int bits() const { return static_cast<int>(w.bytes(8)); }
    int32_t columns() const { return static_cast<int32_t>(w.columns); }
    int32_t block() const { return w.quantised() ? static_cast<int32_t>(w.block) : 0; }
    std::string kernel(const char* stem) const { return kernel_name(stem, type, w.type); }
};

bool aligned(const void* address, uintptr_t step) { return reinterpret_cast<uintptr_t>(address) % step == 0; }

/// Whether rows of both matrices begin at multiples of 16 bytes and are whole chunks of 16.
bool in_chunks(const Product& p) {
    const int64_t chunk = 128 / p.bits(), x_chunk = p.type == Type::F32 ? 4 : 8;
    return p.w.columns > 0 && p.w.columns % chunk == 0 && p.w.pitch() % chunk == 0 && p.w.columns % x_chunk == 0 && aligned(p.w.data, 16) &&
           aligned(p.x, 16);
}

/// Whether a tile's scales can be copied two at a time.
bool in_pairs_of_blocks(const Product& p) {
    return p.w.block == 32 && p.w.columns % 64 == 0 && p.w.pitch() % 64 == 0 && aligned(p.w.scales, 4);
}

void few_tokens(const Product& p) {
    // Enough 16-byte loads on their way in each multiprocessor to hide the memory's latency.
    constexpr int64_t loads = 2048;
    const int64_t rows = p.w.rows, chunks = p.w.columns * p.bits() / 128, wanted = p.device.properties().multiprocessors * loads;
    // A lane has at least one chunk. Where that still gives enough loads it takes four rows, which reuse its activations.
    const int most_log = std::min(static_cast<int>(std::bit_width(static_cast<uint64_t>(chunks))) - 1, 7);
    const int64_t count = p.tokens == 1 ? 1 : p.type == Type::F32 ? 4 : 2;
    const int64_t parallel = rows << most_log >= wanted && count < 4 ? 4 : 1, groups = ceiling(rows, parallel);
    int lanes_log = std::min(most_log, 5);
    while (lanes_log < most_log && (groups * parallel) << lanes_log < wanted) {
        lanes_log++;
    }
    const int64_t threads = std::max(int64_t{64}, int64_t{1} << lanes_log);
    const std::string stem = "linear_rows" + std::to_string(parallel) + "_tokens" + std::to_string(count);
    p.device.launch(p.kernel(stem.c_str()), {ceiling(groups, threads >> lanes_log)}, static_cast<unsigned>(threads),
                    threads / 32 * parallel * count * sizeof(float), p.w.data, p.w.scales, p.w.pitch(), p.block(), rows, p.columns(), p.x,
                    static_cast<int32_t>(p.tokens), static_cast<int32_t>(lanes_log), p.y);
}

struct Tile {
    const char* stem;
    int64_t rows, tokens, threads, shared;
};

template <typename Shape>
constexpr Tile tile(const char* stem, int bits) {
    return {stem, Shape::rows, Shape::tokens, Shape::threads, Shape::shared_bytes(bits)};
}

/// A tile takes about as long as its rows and tokens take to copy; the GPU works on one for each multiprocessor at a time.
Tile cheapest_tile(const Product& p) {
    const int bits = p.bits();
    const std::array tiles{p.w.quantised() ? tile<QuantisedTile128>("linear_tile128", bits) : tile<Tile128>("linear_tile128", bits),
                           tile<Tile64>("linear_tile64", bits), tile<Tile32>("linear_tile32", bits), tile<Tile16>("linear_tile16", bits),
                           tile<Tile8>("linear_tile8", bits)};
    const DeviceProperties& device = p.device.properties();
    const auto cost = [&](const Tile& t) {
        const int64_t blocks = ceiling(p.w.rows, t.rows) * ceiling(p.tokens, t.tokens);
        const bool fits = t.shared <= static_cast<int64_t>(device.shared_bytes);
        return fits ? ceiling(blocks, device.multiprocessors) * (t.rows + t.tokens) : INT64_MAX;
    };
    return *std::ranges::min_element(tiles, {}, cost);
}

void tiles(const Product& p) {
    const Tile t = cheapest_tile(p);
    p.device.launch(p.kernel(t.stem), {ceiling(p.w.rows, t.rows) * ceiling(p.tokens, t.tokens)}, static_cast<unsigned>(t.threads),
                    static_cast<size_t>(t.shared), p.w.data, p.w.scales, p.w.pitch(), p.w.rows, p.columns(), p.x, p.tokens, p.y);
}

template <typename Tile>
void plain(const Product& p, const char* stem) {
    p.device.launch(p.kernel(stem), {ceiling(p.w.rows, Tile::rows) * ceiling(p.tokens, Tile::tokens)}, Tile::threads, Tile::shared_bytes,
                    p.w.data, p.w.scales, p.w.pitch(), p.block(), p.w.rows, p.columns(), p.x, p.tokens, p.y);
}

}  // namespace

void linear(Device& device, Type type, const Weights& w, const void* x, int64_t tokens, void* y) {
    if (w.columns > most_columns) {
        fail("Linear has the width ", w.columns, ", expected at most ", most_columns, ": run the model on the CPU");
    }
    if (tokens == 0 || w.rows == 0) {
        return;
    }
    const Product p{device, type, w, x, tokens, y};
    if (in_chunks(p) && tokens <= (type == Type::F32 ? 4 : 2)) {
        few_tokens(p);
    } else if (in_chunks(p) && type != Type::F32 && (!w.quantised() || in_pairs_of_blocks(p))) {
        tiles(p);
    } else if (tokens <= 16) {
        plain<PlainTile<16>>(p, "linear_plain16");
    } else {
        plain<PlainTile<64>>(p, "linear_plain64");
    }
}

}  // namespace latentmoe::cuda
