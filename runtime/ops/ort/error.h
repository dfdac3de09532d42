// What is wrong with a model, its inputs or the settings, in words for the user. Caught where ONNX Runtime calls.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace latentmoe {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The parts as one text.
template <typename... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream stream;
    (stream << ... << parts);
    return stream.str();
}

template <typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    throw Error(text(parts...));
}

}  // namespace latentmoe
