// The library's one export. Domains and their operators are made once for each settings and kept until the process ends, because
// ONNX Runtime does not say when its last session lets go of them.
#include "custom_op.h"
#include "error.h"
#include "settings.h"

#include <deque>
#include <map>
#include <mutex>
#include <tuple>

namespace latentmoe {

namespace {

struct Domain {
    OrtCustomOpDomain* handle;
    std::deque<CustomOp> ops;
};

using Key = std::tuple<const OrtApiBase*, const Kernels*, std::set<std::string>>;

// Complete or not there at all: a domain that could not be filled is not kept.
std::unique_ptr<Domain> make_domain(const Api& api, const Settings& settings) {
    auto result = std::make_unique<Domain>();
    for (const Operator& op : all_operators()) {
        if (!settings.disabled.contains(op.name)) {
            result->ops.emplace_back(api, op, *settings.kernels);
        }
    }
    api.check(api->CreateCustomOpDomain(domain, &result->handle));
    for (const CustomOp& op : result->ops) {
        if (OrtStatus* status = api->CustomOpDomain_Add(result->handle, &op)) {
            api->ReleaseCustomOpDomain(result->handle);
            api.check(status);
        }
    }
    return result;
}

void add_domain(const OrtApiBase& base, const Api& api, OrtSessionOptions* options) {
    static std::mutex mutex;
    static auto* const domains = new std::map<Key, std::unique_ptr<Domain>>();
    const Settings settings = read_settings(api, options);
    const std::lock_guard lock(mutex);
    auto& entry = (*domains)[Key(&base, settings.kernels, settings.disabled)];
    if (entry == nullptr) {
        entry = make_domain(api, settings);
    }
    api.check(api->AddCustomOpDomain(options, entry->handle));
}

}  // namespace

}  // namespace latentmoe

extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
    // CreateStatus has been in every version, so that even one that is too old gets to say so.
    const OrtApi* any = base->GetApi(1);
    try {
        latentmoe::add_domain(*base, latentmoe::Api(*base), options);
        return nullptr;
    } catch (const std::exception& e) {
        return any->CreateStatus(ORT_INVALID_ARGUMENT, e.what());
    } catch (...) {
        return any->CreateStatus(ORT_FAIL, "liblatentmoe_ops.so: unknown error");
    }
}
