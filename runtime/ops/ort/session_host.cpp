#include "session_host.h"

namespace latentmoe {

SessionHost::~SessionHost() {
    if (scratch_ != nullptr) {
        try {
            pool_.give_back(std::move(scratch_));
        } catch (const std::bad_alloc&) {
            // Freed instead of kept.
        }
    }
}

void* SessionHost::scratch(size_t bytes) {
    if (scratch_ == nullptr) {
        scratch_ = pool_.rent();
    }
    return scratch_->take(bytes);
}

void SessionHost::run(int64_t count, void (*body)(void*, size_t), void* context) {
    api_.check(api_->KernelContext_ParallelFor(context_, body, static_cast<size_t>(count), 0, context));
}

}  // namespace latentmoe
