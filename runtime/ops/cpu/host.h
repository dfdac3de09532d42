// What a kernel needs of the program around it: the session's threads and its memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace latentmoe {

class Host {
public:
    virtual ~Host() = default;

    /// At least `bytes`, aligned to 64, valid until the operator's call ends. Throws std::bad_alloc. Not for parallel parts.
    virtual void* scratch(size_t bytes) = 0;

    /// body(0) … body(count − 1), in any order, on the session's threads; returns when all are done. The body must not throw.
    template <typename Body>
    void parallel(int64_t count, Body&& body) {
        if (count == 1) {
            body(int64_t{0});
        } else if (count > 1) {
            run(count, [](void* context, size_t index) { (*static_cast<std::remove_reference_t<Body>*>(context))(static_cast<int64_t>(index)); },
                const_cast<void*>(static_cast<const void*>(std::addressof(body))));
        }
    }

    template <typename T>
    T* array(int64_t count) {
        return static_cast<T*>(scratch(static_cast<size_t>(count) * sizeof(T)));
    }

protected:
    virtual void run(int64_t count, void (*body)(void*, size_t), void* context) = 0;
};

}  // namespace latentmoe
