// The cache grows: the past comes to present, and columns behind it are zero. And what is found of a long mask and many tokens before
// blocks look at their own.
#include "latent_attention_plan.cuh"

namespace latentmoe::cuda {

/// Past [rows, from] to the beginnings of the rows of present [rows, to].
template <typename Unit>
DEVICE void carry(const Unit* past, Unit* present, int64_t from, int64_t to) {
    const int64_t row = block_y(), step = int64_t(grid_x()) * block_threads();
    for (int64_t i = int64_t(block_x()) * block_threads() + thread_index(); i < to; i += step) {
        present[row * to + i] = i < from ? past[row * from + i] : Unit{};
    }
}

// Rows of so many bytes. Blocks in x share a row; y is the row; z chooses keys or values.
KERNEL(latent_attention_carry, 256,
       (const unsigned char* past_key, const unsigned char* past_value, unsigned char* key, unsigned char* value, int64_t from,
        int64_t to)) {
    const unsigned char* past = block_z() == 0 ? past_key : past_value;
    unsigned char* present = block_z() == 0 ? key : value;
    if (from % 16 == 0 && to % 16 == 0 && aligned16(past) && aligned16(present)) {
        carry(reinterpret_cast<const u32x4*>(past), reinterpret_cast<u32x4*>(present), from / 16, to / 16);
    } else {
        carry(reinterpret_cast<const uint16_t*>(past), reinterpret_cast<uint16_t*>(present), from / 2, to / 2);
    }
}

// A block for each row; found[0] begins as 0.
KERNEL(latent_attention_used, 256, (const int64_t* mask, int32_t tokens, int32_t total, int32_t* found)) {
    const int32_t used = used_columns(mask + int64_t(block_x()) * total, 1, tokens, total, reinterpret_cast<int32_t*>(shared_memory()));
    if (thread_index() == 0) {
        atomic_max(found, used);
    }
}

// A thread for each token; found[1] begins as 0.
KERNEL(latent_attention_written, 256,
       (const int64_t* positions, const int64_t* mask, int64_t most_positions, int32_t rows, int32_t tokens, int32_t total, int32_t columns,
        int32_t* found)) {
    const Plan plan{positions, mask, rows, tokens, total, columns, most_positions, largest(found[0], tokens) - tokens};
    const int64_t token = int64_t(block_x()) * block_threads() + thread_index();
    int32_t last = 1;
    if (token < int64_t(rows) * tokens && plan.lives(token) && !plan.bad(token)) {
        last = int32_t(positions[token]) + 1;
    }
    last = block_largest(last, reinterpret_cast<int32_t*>(shared_memory()));
    if (thread_index() == 0) {
        atomic_max(found + 1, last);
    }
}

}  // namespace latentmoe::cuda
