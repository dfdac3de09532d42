// Memory that ends exactly where its contents do, so that AddressSanitizer sees one element too many, and that is aligned for its
// elements but for nothing wider.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace latentmoe::test {

template <typename T>
class Exact {
public:
    explicit Exact(int64_t count) : length(count) {
        if (posix_memalign(&block, 64, static_cast<size_t>(count + 1) * sizeof(T)) != 0) {
            throw std::bad_alloc();
        }
    }

    Exact(int64_t count, T value) : Exact(count) { fill(value); }

    explicit Exact(const std::vector<T>& values) : Exact(static_cast<int64_t>(values.size())) {
        for (size_t i = 0; i < values.size(); i++) {
            data()[i] = values[i];
        }
    }

    Exact(Exact&& other) noexcept : block(other.block), length(other.length) { other.block = nullptr; }
    Exact& operator=(Exact&&) = delete;
    ~Exact() { std::free(block); }

    T* data() { return static_cast<T*>(block) + 1; }
    const T* data() const { return static_cast<const T*>(block) + 1; }
    int64_t size() const { return length; }
    T& operator[](int64_t index) { return data()[index]; }
    const T& operator[](int64_t index) const { return data()[index]; }

    void fill(T value) {
        for (int64_t i = 0; i < length; i++) {
            data()[i] = value;
        }
    }

private:
    void* block = nullptr;
    int64_t length;
};

/// Rows of an own allocation each, and the list of their starts, as kernels take them.
struct Rows {
    std::vector<Exact<float>> rows;
    std::vector<float*> starts;
    std::vector<const float*> reading;

    Rows(int64_t count, int64_t width, float value) {
        for (int64_t i = 0; i < count; i++) {
            rows.emplace_back(width, value);
            starts.push_back(rows.back().data());
            reading.push_back(rows.back().data());
        }
    }
};

} // namespace latentmoe::test
