// Working memory of the calls of all nodes. It is kept from call to call, so that no call touches new pages that an earlier one has
// touched already, and freed with the last node.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace latentmoe {

/// The memory of one call at a time: handed out piece by piece, given back at once.
class Scratch {
public:
    /// At least `bytes`, aligned to 64, valid until clear. Throws std::bad_alloc.
    void* take(size_t bytes);

    /// Ends the call. What it took in several blocks, the next one finds in a single one.
    void clear();

private:
    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    struct Block {
        std::unique_ptr<std::byte[], Free> memory;
        size_t size;
    };

    void grow(size_t bytes);

    std::vector<Block> blocks_;
    size_t used_ = 0;  // of the last block
};

class ScratchPool {
public:
    /// The pool of this process, alive as long as anyone holds it.
    static std::shared_ptr<ScratchPool> shared();

    std::unique_ptr<Scratch> rent();
    void give_back(std::unique_ptr<Scratch> scratch);

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace latentmoe
