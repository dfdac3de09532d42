// What must be refused, and in which words.
#pragma once
#include "../native/check.h"
#include "test_device.h"

#include <exception>
#include <string>

namespace latentmoe::test {

template <typename Action>
void refused(const std::string& words, const Action& action) {
    std::string message;
    try {
        action();
    } catch (const std::exception& error) {
        message = error.what();
    }
    require(!message.empty(), "nothing was refused, expected: ", words);
    require(message.find(words) != std::string::npos, "refused with \"", message, "\", expected: ", words);
}

}  // namespace latentmoe::test
