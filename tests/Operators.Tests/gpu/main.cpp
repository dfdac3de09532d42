// Runs the tests whose names begin with one of the arguments, or all, and prints one line for each: "pass name" or "fail name: why".
// --share=i/n: of these only every n-th, from number i on; --until-failure: none after the first that fails. The exit code is 1 if any
// failed, 2 if there is no such test.
#include "../native/check.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string_view>

using namespace latentmoe::test;

int main(int count, char** arguments) {
    std::vector<std::string_view> starts;
    unsigned share = 0, shares = 1;
    bool until_failure = false;
    for (const char* argument : std::vector(arguments + 1, arguments + count)) {
        if (std::string_view(argument) == "--until-failure") {
            until_failure = true;
        } else if (std::sscanf(argument, "--share=%u/%u", &share, &shares) != 2) {
            starts.push_back(argument);
        }
    }
    unsigned found = 0;
    bool passed = true;
    for (const Test& test : all_tests()) {
        if (!starts.empty() && std::ranges::none_of(starts, [&](std::string_view start) { return test.name.starts_with(start); })) {
            continue;
        }
        if (found++ % std::max(shares, 1u) != share) {
            continue;
        }
        try {
            test.body();
            std::cout << "pass " << test.name << std::endl;
        } catch (const std::exception& error) {
            std::cout << "fail " << test.name << ": " << error.what() << std::endl;
            passed = false;
            if (until_failure) {
                break;
            }
        }
    }
    if (found == 0) {
        std::cerr << "there is no such test\n";
        return 2;
    }
    return passed ? 0 : 1;
}
