// Scores of queries with cached rows and sums of rows, by every instruction set of this machine, against double precision.
#include "check.h"
#include "matrix.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

/// Rows in two halves, of float16 or float32.
class Cache {
public:
    Cache(int64_t rows, int64_t half, bool half_precision, Random& random)
        : half(half), half_precision(half_precision), wide{Exact<float>(random.normal(rows * half)), Exact<float>(random.normal(rows * half))},
          narrow{Exact<uint16_t>(rows * half), Exact<uint16_t>(rows * half)} {
        for (int side = 0; side < 2; side++) {
            for (int64_t i = 0; i < rows * half; i++) {
                narrow[side][i] = to_f16(wide[side][i]);
            }
        }
    }

    CachedRows rows() const {
        return half_precision ? CachedRows{narrow[0].data(), narrow[1].data(), half, true}
                              : CachedRows{wide[0].data(), wide[1].data(), half, false};
    }

    double at(int64_t row, int64_t column) const {
        const int64_t side = column / half, i = row * half + column % half;
        return half_precision ? from_f16(narrow[side][i]) : wide[side][i];
    }

private:
    int64_t half;
    bool half_precision;
    Exact<float> wide[2];
    Exact<uint16_t> narrow[2];
};

struct Case {
    const Kernels& kernels;
    bool half_precision;
    int64_t rows, half, lines;

    std::string name(const char* tensor) const {
        return text(tensor, " of ", kernels.name, half_precision ? ", f16" : ", f32", ", rows ", rows, ", half ", half, ", lines ", lines);
    }
};

template <typename Body>
void for_each_case(uint64_t seed, Body body) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const bool half_precision : {false, true}) {
            Random random(seed);
            for (int i = 0; i < 30; i++) {
                const Case c{*kernels, half_precision, random.between(1, 20), random.between(1, i % 3 ? 40 : 200), random.between(1, i % 2 ? 9 : 21)};
                body(c, Cache(c.rows, c.half, half_precision, random), random);
            }
        }
    }
}

} // namespace

TEST(kernels_score_any_shape) {
    for_each_case(41, [](const Case& c, const Cache& cache, Random& random) {
        const int64_t width = 2 * c.half, stride = c.rows + random.between(0, 3);
        const Exact<float> q(random.normal(c.lines * width));
        Exact<float> scores(c.lines * stride - (stride - c.rows), 7);
        std::vector<double> expected(static_cast<size_t>(scores.size()), 7);
        for (int64_t line = 0; line < c.lines; line++) {
            for (int64_t i = 0; i < c.rows; i++) {
                double& sum = expected[static_cast<size_t>(line * stride + i)] = 0;
                for (int64_t k = 0; k < width; k++) {
                    sum += static_cast<double>(q[line * width + k]) * cache.at(i, k);
                }
            }
        }
        c.kernels.score(cache.rows(), cache.rows(), c.rows, q.data(), c.lines, scores.data(), stride);
        close(c.name("scores"), expected, scores.data(), 2e-6, std::sqrt(static_cast<double>(width)));
    });
}

TEST(kernels_weigh_any_shape) {
    for_each_case(42, [](const Case& c, const Cache& cache, Random& random) {
        const int64_t width = random.between(1, 2 * c.half), stride = c.rows + random.between(0, 3);
        const Exact<float> weights(random.normal(c.lines * stride));
        Exact<float> sums(random.normal(c.lines * width));
        for (const bool add : {true, false}) {
            std::vector<double> expected;
            for (int64_t i = 0; i < c.lines * width; i++) {
                double sum = add ? sums[i] : 0;
                for (int64_t row = 0; row < c.rows; row++) {
                    sum += weights[i / width * stride + row] * cache.at(row, i % width);
                }
                expected.push_back(sum);
            }
            c.kernels.weigh(cache.rows(), c.rows, weights.data(), stride, c.lines, sums.data(), width, add);
            close(c.name(add ? "sums, adding," : "sums"), expected, sums.data(), 2e-6, std::sqrt(static_cast<double>(c.rows)));
        }
    });
}
