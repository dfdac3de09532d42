#include "amx_tiles.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace latentmoe::test {
namespace {

struct Tile {
    int rows = 0, bytes = 0; // of a row
    uint8_t data[16][64] = {};
};

struct State {
    bool configured = false;
    Tile tiles[8];
};

thread_local State state;

void demand(bool condition, const char* rule) {
    if (!condition) {
        std::fprintf(stderr, "emulated AMX: %s\n", rule);
        std::abort();
    }
}

Tile& configured(int index) {
    demand(state.configured, "a tile is used without a configuration");
    demand(index >= 0 && index < 8 && state.tiles[index].rows > 0, "the tile has no shape");
    return state.tiles[index];
}

float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

float wide(const uint8_t* bf16) {
    uint16_t half;
    std::memcpy(&half, bf16, sizeof half);
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return flushed(value);
}

} // namespace

void EmulatedTiles::configure(const TileShapes& shapes) {
    // What tells the hardware from a configuration that another function left behind.
    demand(!state.configured, "a configuration is loaded over another that was not released");
    demand(shapes.palette == 1 && shapes.start_row == 0, "palette 1 from row 0 on is expected");
    for (const uint8_t byte : shapes.reserved) {
        demand(byte == 0, "reserved bytes are not zero");
    }
    State next;
    next.configured = true;
    for (int i = 0; i < 16; i++) {
        const int rows = shapes.rows[i], bytes = shapes.row_bytes[i];
        demand(rows <= 16 && bytes <= 64 && bytes % 4 == 0 && (rows == 0) == (bytes == 0), "a tile has at most 16 rows of 64 bytes");
        demand(i < 8 || rows == 0, "there are eight tiles");
        if (i < 8) {
            next.tiles[i].rows = rows;
            next.tiles[i].bytes = bytes;
        }
    }
    state = next;
}

void EmulatedTiles::release() {
    demand(state.configured, "nothing to release");
    state = {};
}

void EmulatedTiles::zero(int tile) { std::memset(configured(tile).data, 0, sizeof(Tile::data)); }

void EmulatedTiles::load(int tile, const void* start, int64_t pitch) {
    Tile& to = configured(tile);
    for (int i = 0; i < to.rows; i++) {
        std::memcpy(to.data[i], static_cast<const uint8_t*>(start) + i * pitch, static_cast<size_t>(to.bytes));
    }
}

void EmulatedTiles::store(int tile, void* start, int64_t pitch) {
    const Tile& from = configured(tile);
    for (int i = 0; i < from.rows; i++) {
        std::memcpy(static_cast<uint8_t*>(start) + i * pitch, from.data[i], static_cast<size_t>(from.bytes));
    }
}

void EmulatedTiles::multiply(int sum, int left, int right) {
    Tile& c = configured(sum);
    const Tile &a = configured(left), &b = configured(right);
    demand(c.rows == a.rows && c.bytes == b.bytes && a.bytes == 4 * b.rows, "the shapes of a product do not fit");
    const int columns = c.bytes / 4, pairs = a.bytes / 4;
    float x[16][2], w[16][2][16];
    for (int k = 0; k < pairs; k++) {
        for (int n = 0; n < columns; n++) {
            w[k][0][n] = wide(b.data[k] + 4 * n);
            w[k][1][n] = wide(b.data[k] + 4 * n + 2);
        }
    }
    for (int m = 0; m < c.rows; m++) {
        for (int k = 0; k < pairs; k++) {
            x[k][0] = wide(a.data[m] + 4 * k);
            x[k][1] = wide(a.data[m] + 4 * k + 2);
        }
        for (int n = 0; n < columns; n++) {
            float even = 0, odd = 0, total;
            for (int k = 0; k < pairs; k++) {
                even = flushed(std::fma(x[k][0], w[k][0][n], even));
                odd = flushed(std::fma(x[k][1], w[k][1][n], odd));
            }
            std::memcpy(&total, c.data[m] + 4 * n, sizeof total);
            total = flushed(flushed(total) + flushed(even + odd));
            std::memcpy(c.data[m] + 4 * n, &total, sizeof total);
        }
    }
}

} // namespace latentmoe::test
