// Modules, and the launches of their kernels.
#include "../emulation/scheduler.h"
#include "handles.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>

namespace latentmoe::fake {

using cuda::FunctionHandle;
using cuda::ModuleHandle;
using cuda::Result;
using cuda::StreamHandle;
using cuda::success;

namespace {

constexpr size_t shared_of_any_kernel = 48 << 10;

// What stands between a mark and the next character of `ends`; nothing where there is no mark.
std::string behind(std::string_view text, std::string_view mark, std::string_view ends) {
    const size_t at = text.find(mark);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = text.substr(at + mark.size());
    return std::string(rest.substr(0, rest.find_first_of(ends)));
}

/// A launch's arguments, which a graph keeps.
class Arguments {
public:
    Arguments(const emulation::Kernel& kernel, void* const* values) {
        for (size_t i = 0; i < kernel.parameters.size(); ++i) {
            std::memcpy(&held_.emplace_back(0), values[i], size_of(kernel.parameters[i]));
        }
    }

    std::vector<void*> values() {
        std::vector<void*> result;
        for (uint64_t& value : held_) {
            result.push_back(&value);
        }
        return result;
    }

private:
    std::vector<uint64_t> held_;
};

Result run(const Launch& launch, const emulation::Kernel& kernel, Arguments arguments) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    state().launches.push_back(launch);
    try {
        emulation::Scheduler(kernel, {launch.x, launch.y, launch.z}, launch.threads, launch.shared, arguments.values().data(),
                             state().launches.size())
            .run();
        return success;
    } catch (const std::exception& e) {
        state().failure = e.what();
        return launch_failed;
    }
}

}  // namespace

}  // namespace latentmoe::fake

using namespace latentmoe::fake;

extern "C" {

Result cuModuleLoadDataEx(ModuleHandle* module, const void* image, unsigned count, int* options, void** values) {
    if (capturing()) {
        return capture_unsupported;
    }
    const std::string_view text = static_cast<const char*>(image);
    const std::string name = behind(text, ".visible .entry ", "("), target = behind(text, ".target ", "\n,");
    if (!state().compile_log.empty()) {
        for (unsigned i = 0; i + 1 < count; ++i) {
            if (options[i] == latentmoe::cuda::error_log && options[i + 1] == latentmoe::cuda::error_log_size) {
                std::strncpy(static_cast<char*>(values[i]), state().compile_log.c_str(), reinterpret_cast<size_t>(values[i + 1]));
            }
        }
        return invalid_ptx;
    }
    if (name.empty() || std::stoi(target.substr(3)) > state().major * 10 + state().minor) {
        return invalid_ptx;
    }
    try {
        *module = new CUmod_st{{&latentmoe::emulation::find_kernel(name), shared_of_any_kernel}};
    } catch (const std::exception& e) {
        state().failure = e.what();
        return not_found;
    }
    state().modules.push_back(target + ' ' + name);
    return scripted("cuModuleLoadDataEx");
}

Result cuModuleUnload(ModuleHandle module) {
    delete module;
    return success;
}

Result cuModuleGetFunction(FunctionHandle* function, ModuleHandle module, const char* name) {
    *function = &module->function;
    return module->function.kernel->name == name ? scripted("cuModuleGetFunction") : not_found;
}

Result cuFuncSetAttribute(FunctionHandle function, int attribute, int value) {
    if (attribute != latentmoe::cuda::most_dynamic_shared || value > state().shared) {
        return invalid_value;
    }
    function->most_shared = static_cast<size_t>(value);
    return scripted("cuFuncSetAttribute");
}

Result cuLaunchKernel(FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                      unsigned block_z, unsigned shared, StreamHandle stream, void** parameters, void** extra) {
    const latentmoe::emulation::Kernel& kernel = *function->kernel;
    if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_y > 65535 || grid_z > 65535 || block_x == 0 || block_x > kernel.max_threads ||
        block_x % 32 != 0 || block_y != 1 || block_z != 1 || shared > function->most_shared || extra != nullptr) {
        return invalid_value;
    }
    if (const Result failed = scripted("cuLaunchKernel"); failed != success) {
        return failed;
    }
    const Launch launch{std::string(kernel.name), grid_x, grid_y, grid_z, block_x, shared, stream};
    return submit(stream, [&kernel, launch, arguments = Arguments(kernel, parameters)] { return run(launch, kernel, arguments); });
}
}
