// Runs the named tests, or all, on the instruction sets that it lists, and prints one line for each: "pass name" or "fail name: why".
// The exit code is 1 if any failed.
#include "check.h"
#include "matrix.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string_view>

using namespace latentmoe;
using namespace latentmoe::test;

int main(int count, char** arguments) {
    const std::vector<std::string_view> wanted(arguments + 1, arguments + count);
    const auto& tests = all_tests();
    for (const std::string_view name : wanted) {
        if (std::none_of(tests.begin(), tests.end(), [&](const Test& test) { return test.name == name; })) {
            std::cerr << "there is no test " << name << '\n';
            return 2;
        }
    }
    for (const Kernels* kernels : instruction_sets()) {
        std::cout << "on " << kernels->name << std::endl;
    }
    bool passed = true;
    for (const Test& test : tests) {
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), test.name) == wanted.end()) {
            continue;
        }
        try {
            test.body();
            std::cout << "pass " << test.name << std::endl;
        } catch (const std::exception& error) {
            std::cout << "fail " << test.name << ": " << error.what() << std::endl;
            passed = false;
        }
    }
    return passed ? 0 : 1;
}
