// Absorbed attention in float32, without tensor cores: a warp for each line, a lane for each column of a tile, and then for every 32nd
// number of the rank.
#include "latent_attention_split.cuh"

namespace latentmoe::cuda {

constexpr int32_t lines = 8, threads = 32 * lines;
constexpr int32_t most_parts = 16;  // 32 numbers of the rank each

#define PARAMETERS(C)                                                                                                                     \
    (const float* queries, const C* key, const C* value, const int32_t* sights, int32_t heads, int32_t tokens, int32_t columns,           \
     int32_t rank, int32_t half, int32_t splits, int32_t split_columns, float* partial, float* running)

/// Shared memory: queries [lines, width], tile [tile_columns, width + 1].
template <typename C>
DEVICE void split PARAMETERS(C) {
    const auto lane = int32_t(lane_index()), line = int32_t(warp_index());
    const Place place(heads * tokens, lines, splits);
    const int32_t sight = lane < place.count ? sights[(place.first + lane) / heads] : 0;
    const int32_t width = 2 * half, query_width = (width + 15) / 16 * 16, pitch = width + 1;
    auto* query = reinterpret_cast<float*>(shared_memory());
    float* rows = query + lines * width;
    share(lines, width, [&](int32_t of, int32_t i) {
        query[of * width + i] = of < place.count ? queries[(place.first + of) * query_width + i] : 0;
    });
    query += line * width;
    const C *keys = key + place.row * columns * half, *values = value + place.row * columns * half;
    for (uint32_t pass = 0; pass < 2; pass++) {
        const Span span(sight, pass, place.split, split_columns);
        const auto seen = int32_t(shuffle(uint32_t(span.mine), uint32_t(line)));
        float sums[most_parts] = {}, maximum = minus_infinity, total = 0;
        for (int32_t first = span.begin; first < span.end; first += tile_columns) {
            block_barrier();
            share(tile_columns, width, [&](int32_t column, int32_t i) {
                rows[column * pitch + i] = first + column < span.end ? cached(keys, values, first + column, half, i) : 0;
            });
            block_barrier();
            float score = 0;
            for (int32_t i = 0; i < width; i++) {
                score = fma_of(query[i], rows[lane * pitch + i], score);
            }
            score = first - span.begin + lane < seen ? score : minus_infinity;
            const float tile_maximum = warp_max(score), former = maximum;
            maximum = tile_maximum > former ? tile_maximum : former;
            // With scores that are all −infinity, subtracting them would give NaN.
            const float shift = maximum == minus_infinity ? 0 : maximum, factor = exp2_of(former - shift), weight = exp2_of(score - shift);
            total = fma_of(total, factor, weight);
            UNROLL(16)
            for (int k = 0; k < most_parts; k++) {
                sums[k] *= factor;
            }
            // Columns that the line does not see are left out: they may be infinite.
            const int32_t count = least(span.begin + seen - first, tile_columns);
            for (int32_t column = 0; column < count; column++) {
                const float w = shuffle(weight, uint32_t(column));
                UNROLL(16)
                for (int k = 0; k < most_parts; k++) {
                    const int32_t i = lane + 32 * k;
                    if (i < rank) {
                        sums[k] = fma_of(w, rows[column * pitch + i], sums[k]);
                    }
                }
            }
        }
        total = warp_sum(total);
        if (seen > 0) {
            const int32_t padded = (rank + 15) / 16 * 16;
            UNROLL(16)
            for (int k = 0; k < most_parts; k++) {
                const int32_t i = lane + 32 * k;
                if (i < padded) {
                    partial[place.partial(line) * padded + i] = i < rank ? sums[k] : 0;
                }
            }
            if (lane == 0) {
                running[2 * place.partial(line)] = maximum;
                running[2 * place.partial(line) + 1] = total;
            }
        }
    }
}

#define ENTRY(suffix, C)                                                                                                                  \
    KERNEL(latent_attention_split_##suffix, threads, PARAMETERS(C)) {                                                                     \
        split<C>(queries, key, value, sights, heads, tokens, columns, rank, half, splits, split_columns, partial, running);               \
    }
ENTRY(f32_f32, float)
ENTRY(f32_f16, f16)
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
