// Prints a line for each kernel of the emulation: its name, its most threads, and the types of its parameters as PTX has them.
#include "../emulation/registry.h"

#include <exception>
#include <iostream>

using namespace latentmoe::emulation;

int main() {
    try {
        for (const Kernel& kernel : all_kernels()) {
            std::cout << kernel.name << ' ' << kernel.max_threads;
            for (const Parameter parameter : kernel.parameters) {
                std::cout << ' ' << (parameter == Parameter::F32 ? "f32" : parameter == Parameter::B32 ? "u32" : "u64");
            }
            std::cout << '\n';
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
