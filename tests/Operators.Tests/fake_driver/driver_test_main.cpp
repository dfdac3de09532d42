// driver_tests: the library's side of the driver, on the fake one. `driver_tests --status`
// prints whether kernels can run here, and why not, with whatever driver the loader finds.
#include "../../../runtime/ops/cuda/driver/status.h"
#include "../native/check.h"

#include <cstring>
#include <exception>
#include <iostream>

using namespace latentmoe::test;

int main(int count, char** arguments) {
    if (count == 2 && std::strcmp(arguments[1], "--status") == 0) {
        const latentmoe::cuda::Status status = latentmoe::cuda::status();
        std::cout << (status.usable ? "usable: " : "not usable: ") << status.text << std::endl;
        return 0;
    }
    bool passed = true;
    for (const Test& test : all_tests()) {
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
