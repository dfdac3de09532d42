// Operations on rows of floats, for any vector type.
#pragma once
#include "half.h"
#include "kernels.h"

#include <limits>

namespace latentmoe {
namespace {

template <class V>
struct Rows {
    using F = typename V::Floats;

    /// exp(x), to about 2e-7 relative; 0 where that is below the smallest normal float.
    static F exp(F x) {
        // x = n · ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first with few bits, so that n · part is exact.
        F bounded = V::min(V::all(89.0f), V::max(V::all(-104.0f), x));
        F n = V::round(V::mul(bounded, V::all(1.44269504f)));
        F r = V::fma(n, V::all(-0.693359375f), bounded);
        r = V::fma(n, V::all(2.12194440e-4f), r);
        // The Taylor series to the seventh power: its next term is below 6e-9.
        F p = V::all(1.0f / 5040);
        for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
            p = V::fma(p, r, V::all(c));
        }
        return V::ldexp(p, n);
    }

    static float exp(float x) {
        float lanes[V::width];
        V::store(lanes, exp(V::all(x)));
        return lanes[0];
    }

    static float maximum(const float* x, int64_t count) {
        const float none = -std::numeric_limits<float>::infinity();
        F best = V::all(none);
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            best = V::max(V::load(x + i), best);
        }
        float result = V::largest(best);
        for (; i < count; i++) {
            result = x[i] > result ? x[i] : result;
        }
        return result;
    }

    static float exponentials(float* x, int64_t count, float shift) {
        F total = V::zero(), by = V::all(shift);
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            F e = exp(V::sub(V::load(x + i), by));
            V::store(x + i, e);
            total = V::add(total, e);
        }
        float sum = V::sum(total);
        for (; i < count; i++) {
            x[i] = exp(x[i] - shift);
            sum += x[i];
        }
        return sum;
    }

    static void swiglu(const float* gate, const float* up, float* out, int64_t count) {
        int64_t i = 0;
        F one = V::all(1.0f);
        for (; i + V::width <= count; i += V::width) {
            F z = V::load(gate + i);
            V::store(out + i, V::mul(V::div(z, V::add(one, exp(V::sub(V::zero(), z)))), V::load(up + i)));
        }
        for (; i < count; i++) {
            out[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        }
    }

    static void scale(float* x, int64_t count, float factor) {
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            V::store(x + i, V::mul(V::load(x + i), V::all(factor)));
        }
        for (; i < count; i++) {
            x[i] *= factor;
        }
    }

    static void accumulate(float* y, const float* x, int64_t count, float factor) {
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            V::store(y + i, V::fma(V::all(factor), V::load(x + i), V::load(y + i)));
        }
        for (; i < count; i++) {
            y[i] += factor * x[i];
        }
    }

    static float squares(const float* x, int64_t count) {
        F total = V::zero();
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            F value = V::load(x + i);
            total = V::fma(value, value, total);
        }
        float sum = V::sum(total);
        for (; i < count; i++) {
            sum += x[i] * x[i];
        }
        return sum;
    }

    static float add(const float* a, const float* b, float* out, int64_t count) {
        F total = V::zero();
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            F value = V::add(V::load(a + i), V::load(b + i));
            V::store(out + i, value);
            total = V::fma(value, value, total);
        }
        float sum = V::sum(total);
        for (; i < count; i++) {
            out[i] = a[i] + b[i];
            sum += out[i] * out[i];
        }
        return sum;
    }

    static void normalise(const float* x, const float* gain, float factor, float* out, int64_t count) {
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            V::store(out + i, V::mul(V::mul(V::all(factor), V::load(x + i)), V::load(gain + i)));
        }
        for (; i < count; i++) {
            out[i] = factor * x[i] * gain[i];
        }
    }

    static void narrow16(const float* x, uint16_t* out, int64_t count) {
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            V::store_f16(out + i, V::load(x + i));
        }
        for (; i < count; i++) {
            out[i] = f16_of_float(x[i]);
        }
    }

    static void widen16(const uint16_t* x, float* out, int64_t count) {
        int64_t i = 0;
        for (; i + V::width <= count; i += V::width) {
            V::store(out + i, V::load_f16(x + i));
        }
        for (; i < count; i++) {
            out[i] = float_of_f16(x[i]);
        }
    }
};

}  // namespace
}  // namespace latentmoe
