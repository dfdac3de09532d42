// run_models <libonnxruntime.so> <liblatentmoe_ops.so> <model>…: loads each model, which has no inputs, and runs it once. Prints a
// line for each: "ran <model>" or "error <model>: why". Built with sanitizers, as the library then is.
#include <onnxruntime_c_api.h>

#include <dlfcn.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Runner {
public:
    Runner(const char* runtime, std::string operators) : operators(std::move(operators)) {
        void* handle = dlopen(runtime, RTLD_NOW);
        if (handle == nullptr) {
            throw std::runtime_error(dlerror());
        }
        const auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
        api = base()->GetApi(17);
        check(api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "run_models", &env));
    }

    ~Runner() { api->ReleaseEnv(env); }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    void run(const char* model) {
        OrtSessionOptions* created = nullptr;
        check(api->CreateSessionOptions(&created));
        const std::unique_ptr<OrtSessionOptions, void (*)(OrtSessionOptions*)> options(created, api->ReleaseSessionOptions);
        check(api->SetSessionGraphOptimizationLevel(options.get(), ORT_DISABLE_ALL));
        check(api->RegisterCustomOpsLibrary_V2(options.get(), operators.c_str()));
        OrtSession* loaded = nullptr;
        check(api->CreateSession(env, model, options.get(), &loaded));
        const std::unique_ptr<OrtSession, void (*)(OrtSession*)> session(loaded, api->ReleaseSession);
        run(*session);
    }

private:
    void run(OrtSession& session) {
        OrtAllocator* allocator = nullptr;
        check(api->GetAllocatorWithDefaultOptions(&allocator));
        size_t count = 0;
        check(api->SessionGetOutputCount(&session, &count));
        std::vector<std::string> names;
        for (size_t i = 0; i < count; i++) {
            char* name = nullptr;
            check(api->SessionGetOutputName(&session, i, allocator, &name));
            names.emplace_back(name);
            check(api->AllocatorFree(allocator, name));
        }
        std::vector<const char*> wanted;
        for (const std::string& name : names) {
            wanted.push_back(name.c_str());
        }
        std::vector<OrtValue*> outputs(count);
        OrtStatus* status = api->Run(&session, nullptr, nullptr, nullptr, 0, wanted.data(), count, outputs.data());
        std::for_each(outputs.begin(), outputs.end(), api->ReleaseValue);
        check(status);
    }

    void check(OrtStatus* status) {
        if (status != nullptr) {
            const std::string message = api->GetErrorMessage(status);
            api->ReleaseStatus(status);
            throw std::runtime_error(message);
        }
    }

    const OrtApi* api;
    OrtEnv* env = nullptr;
    std::string operators;
};

} // namespace

int main(int count, char** arguments) {
    if (count < 4) {
        std::cerr << "usage: run_models <libonnxruntime.so> <liblatentmoe_ops.so> <model>…\n";
        return 2;
    }
    Runner runner(arguments[1], arguments[2]);
    for (int i = 3; i < count; i++) {
        try {
            runner.run(arguments[i]);
            std::cout << "ran " << arguments[i] << std::endl;
        } catch (const std::runtime_error& error) {
            std::string message = error.what();
            std::replace(message.begin(), message.end(), '\n', ' ');
            std::cout << "error " << arguments[i] << ": " << message << std::endl;
        }
    }
}
