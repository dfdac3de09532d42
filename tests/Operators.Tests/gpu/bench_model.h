// The weights of a latent mixture model in device memory, random: what the operators' benchmarks run on.
#pragma once
#include "../../../runtime/ops/cuda/launch/operators.h"
#include "../native/numbers.h"
#include "device_api.h"

#include <string>
#include <vector>

namespace latentmoe::test {

struct BenchShape {
    const char* name;
    int64_t width, layers, heads, nope, rope, value, rank, experts, top_k, hidden, shared, vocabulary;
};

inline constexpr BenchShape bench_m{"bench-m", 512, 8, 8, 64, 64, 64, 256, 62, 6, 128, 256, 8192};
inline constexpr BenchShape bench_tiny{"tiny", 64, 2, 2, 16, 16, 16, 32, 6, 2, 32, 32, 96};

struct BenchTypes {
    const char* precision;
    cuda::Type activations;
    WeightType weights;

    WeightType float_weights() const;  // of kv_b, which is never quantised
    cuda::Type cache() const { return activations == cuda::Type::F32 ? cuda::Type::F16 : activations; }
};

inline constexpr BenchTypes bench_types[] = {{"f16", cuda::Type::F16, WeightType::F16},
                                             {"bf16", cuda::Type::BF16, WeightType::BF16},
                                             {"int8", cuda::Type::F16, WeightType::Int8},
                                             {"int4", cuda::Type::F16, WeightType::Int4},
                                             {"f32", cuda::Type::F32, WeightType::F32}};

inline int64_t size_of(cuda::Type type) { return type == cuda::Type::F32 ? 4 : 2; }
WeightType weights_of(cuda::Type type);

/// Bytes of a matrix with its scales.
double bytes_of(const Weights& weights);

/// Device memory that is freed together, filled with numbers of which none is NaN or infinite.
class BenchMemory {
public:
    void* zeros(int64_t bytes);
    void* numbers(WeightType type, int64_t count, double deviation);
    float* table(const std::vector<float>& values) { return static_cast<float*>(copied(values.data(), values.size() * sizeof(float))); }
    template <typename T>
    T* copy(const std::vector<T>& values) {
        return static_cast<T*>(copied(values.data(), values.size() * sizeof(T)));
    }

private:
    void* copied(const void* source, size_t bytes);

    Random random_{1};
    std::vector<DeviceMemory> memory_;
};

struct BenchLayer {
    Weights q, kv_a, kv_b, o;
    const float *gain, *kv_norm, *gate, *bias;
    ExpertWeights experts;
};

class BenchModel {
public:
    /// More layers than the shape's, where an operator is to find its weights in no cache.
    BenchModel(const BenchShape& shape, const BenchTypes& types, int64_t layers);

    const BenchShape shape;
    const BenchTypes types;
    std::vector<BenchLayer> layers;
    Weights head;

private:
    Weights matrix(WeightType type, int64_t rows, int64_t columns);

    BenchMemory memory_;
};

}  // namespace latentmoe::test
