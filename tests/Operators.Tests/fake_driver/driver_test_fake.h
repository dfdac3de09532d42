// The fake driver that the loader found, as it was at the start, and again after each test.
#pragma once
#include "../../../runtime/ops/ort/error.h"
#include "../native/check.h"
#include "fake_driver.h"

namespace latentmoe::test {

class FakeDriver {
public:
    FakeDriver() : state_(find()), before_(state_) {}
    ~FakeDriver() { state_ = before_; }
    FakeDriver(const FakeDriver&) = delete;
    FakeDriver& operator=(const FakeDriver&) = delete;

    fake::State* operator->() { return &state_; }

private:
    static fake::State& find() {
        const auto get = reinterpret_cast<fake::State* (*)()>(cuda::driver().symbol("fake_driver_state"));
        require(get != nullptr, "libcuda.so.1 is not the fake one: set LD_LIBRARY_PATH");
        return *get();
    }

    fake::State& state_;
    fake::State before_;
};

/// The message of the Error that the body throws.
template <typename Body>
std::string error_of(Body body) {
    try {
        body();
    } catch (const Error& error) {
        return error.what();
    }
    throw Failure("nothing failed");
}

inline void contains(const std::string& text, const std::string& part) { require(text.find(part) != std::string::npos, "'", text, "' lacks '", part, "'"); }

}  // namespace latentmoe::test
