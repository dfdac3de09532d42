// Native tests: TEST(name) { … } registers one; a Failure thrown in it is its outcome. Comparisons name the tensor and print the
// difference.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace latentmoe::test {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Test {
    std::string name;
    void (*body)();
};

inline std::vector<Test>& all_tests() {
    static std::vector<Test> tests;
    return tests;
}

struct Registration {
    Registration(const char* name, void (*body)()) { all_tests().push_back({name, body}); }
};

#define TEST(name)                                                                    \
    static void test_##name();                                                        \
    static const latentmoe::test::Registration registered_##name{#name, test_##name}; \
    static void test_##name()

/// All arguments, one after the other.
template <typename... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream stream;
    (stream << ... << parts);
    return stream.str();
}

template <typename... Parts>
void require(bool condition, const Parts&... message) {
    if (!condition) {
        throw Failure(text(message...));
    }
}

/// The largest difference must be at most `limit` of the expected range, which includes zero and is at least `least_range`.
/// NaN and infinities must be where they are expected, and nowhere else.
template <typename Actual>
void close(const std::string& tensor, const std::vector<double>& expected, const Actual* actual, double limit = 2e-6, double least_range = 0) {
    double difference = 0, low = 0, high = 0;
    size_t at = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        const double e = expected[i], a = static_cast<double>(actual[i]);
        if (!std::isfinite(e) || !std::isfinite(a)) {
            require((std::isnan(e) && std::isnan(a)) || e == a, tensor, ": element ", i, " of ", expected.size(), " is ", a, ", expected ", e);
            continue;
        }
        low = std::min(low, e);
        high = std::max(high, e);
        if (std::abs(e - a) > difference) {
            difference = std::abs(e - a);
            at = i;
        }
    }
    if (difference == 0) {
        return;
    }
    const double range = std::max(high - low, least_range);
    require(difference <= limit * range, tensor, ": max abs diff ", difference, " at element ", at, " of ", expected.size(), " (", actual[at],
            ", expected ", expected[at], ") exceeds ", limit, " of the range ", range);
}

/// Element for element.
template <typename Number>
void same(const std::string& tensor, const std::vector<Number>& expected, const Number* actual) {
    for (size_t i = 0; i < expected.size(); i++) {
        require(expected[i] == actual[i], tensor, ": element ", i, " of ", expected.size(), " is ", +actual[i], ", expected ", +expected[i]);
    }
}

} // namespace latentmoe::test
