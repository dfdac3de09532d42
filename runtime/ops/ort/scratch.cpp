#include "scratch.h"

#include <algorithm>
#include <new>

namespace latentmoe {

static constexpr size_t alignment = 64, least_block = size_t{64} << 10;

// A call that needs more than this works so long that new pages do not matter, and keeping them would.
static constexpr size_t most_kept = size_t{64} << 20;

void* Scratch::take(size_t bytes) {
    if (bytes > SIZE_MAX - alignment) {
        throw std::bad_alloc();
    }
    const size_t size = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
    if (blocks_.empty() || blocks_.back().size - used_ < size) {
        grow(std::max(size, least_block));
    }
    std::byte* piece = blocks_.back().memory.get() + used_;
    used_ += size;
    return piece;
}

void Scratch::grow(size_t bytes) {
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(alignment, bytes));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    Block block{std::unique_ptr<std::byte[], Free>(memory), bytes};
    blocks_.push_back(std::move(block));
    used_ = 0;
}

void Scratch::clear() {
    used_ = 0;
    size_t total = 0;
    for (const Block& block : blocks_) {
        total += block.size;
    }
    if (total > most_kept) {
        blocks_.clear();
    } else if (blocks_.size() > 1) {
        blocks_.clear();
        grow(total);
    }
}

std::shared_ptr<ScratchPool> ScratchPool::shared() {
    static std::mutex mutex;
    static auto* const current = new std::weak_ptr<ScratchPool>();  // outlives every session
    const std::lock_guard lock(mutex);
    auto pool = current->lock();
    if (pool == nullptr) {
        *current = pool = std::make_shared<ScratchPool>();
    }
    return pool;
}

std::unique_ptr<Scratch> ScratchPool::rent() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto scratch = std::move(idle_.back());
            idle_.pop_back();
            return scratch;
        }
    }
    return std::make_unique<Scratch>();
}

void ScratchPool::give_back(std::unique_ptr<Scratch> scratch) {
    scratch->clear();
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
}

}  // namespace latentmoe
