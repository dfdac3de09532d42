#include "settings.h"

#include "error.h"

namespace latentmoe {

static constexpr const char* disable_key = "latentmoe.disable";
static constexpr const char* isa_key = "latentmoe.isa";

// Empty where there is no such entry.
static std::string entry(const Api& api, const OrtSessionOptions* options, const char* key) {
    int exists = 0;
    api.check(api->HasSessionConfigEntry(options, key, &exists));
    if (exists == 0) {
        return {};
    }
    size_t size = 0;
    api.check(api->GetSessionConfigEntry(options, key, nullptr, &size));
    std::string value(size, '\0');
    api.check(api->GetSessionConfigEntry(options, key, value.data(), &size));
    value.resize(size > 0 ? size - 1 : 0);
    return value;
}

static std::set<std::string> split(const std::string& names) {
    std::set<std::string> result;
    std::istringstream stream(names);
    for (std::string name; std::getline(stream, name, ',');) {
        const size_t first = name.find_first_not_of(" \t"), last = name.find_last_not_of(" \t");
        if (first != std::string::npos) {
            result.insert(name.substr(first, last - first + 1));
        }
    }
    return result;
}

static std::string join(const std::set<std::string>& names) {
    std::string result;
    for (const std::string& name : names) {
        result += text(result.empty() ? "" : ", ", name);
    }
    return result;
}

static std::set<std::string> read_disabled(const std::string& names) {
    std::set<std::string> known;
    for (const Operator& op : all_operators()) {
        known.insert(op.name);
    }
    std::set<std::string> disabled = split(names);
    for (const std::string& name : disabled) {
        if (!known.contains(name)) {
            fail("session config entry ", disable_key, " names '", name, "', expected names of ", join(known));
        }
    }
    return disabled;
}

static const Kernels* read_kernels(const std::string& name) {
    if (name.empty()) {
        return best_kernels();
    }
    if (const Kernels* kernels = find_kernels(name)) {
        return kernels;
    }
    fail("session config entry ", isa_key, " is '", name, "', and this machine has ", kernel_names());
}

Settings read_settings(const Api& api, const OrtSessionOptions* options) {
    return {read_disabled(entry(api, options, disable_key)), read_kernels(entry(api, options, isa_key))};
}

}  // namespace latentmoe
