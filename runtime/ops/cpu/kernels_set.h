// The whole table for a vector type.
#pragma once
#include "kernels_cached.h"
#include "kernels_dot.h"
#include "kernels_multiply.h"
#include "kernels_rows.h"

namespace latentmoe {
namespace {

template <class V>
constexpr Kernels kernels_of(const char* name) {
    return {
        .name = name,
        .panel = Panels<V>::panel,
        .few = Dot<V>::few,
        .dot = Dot<V>::template run<false>,
        .dot_near = Dot<V>::template run<true>,
        .pack = Panels<V>::pack,
        .widen = Panels<V>::widen,
        .multiply = Multiply<V>::run,
        .unit = nullptr,
        .score = Cached<V>::score,
        .weigh = Cached<V>::weigh,
        .maximum = Rows<V>::maximum,
        .exponentials = Rows<V>::exponentials,
        .swiglu = Rows<V>::swiglu,
        .scale = Rows<V>::scale,
        .accumulate = Rows<V>::accumulate,
        .squares = Rows<V>::squares,
        .add = Rows<V>::add,
        .normalise = Rows<V>::normalise,
        .narrow16 = Rows<V>::narrow16,
        .widen16 = Rows<V>::widen16,
    };
}

}  // namespace
}  // namespace latentmoe
