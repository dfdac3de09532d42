// ONNX Runtime as the host of a kernel: the session's threads, and memory that the nodes share.
#pragma once
#include "../cpu/host.h"
#include "api.h"
#include "scratch.h"

namespace latentmoe {

class SessionHost final : public Host {
public:
    SessionHost(const Api& api, const OrtKernelContext* context, ScratchPool& pool) : api_(api), context_(context), pool_(pool) {}
    SessionHost(const SessionHost&) = delete;
    SessionHost& operator=(const SessionHost&) = delete;
    ~SessionHost() override;

    void* scratch(size_t bytes) override;

protected:
    void run(int64_t count, void (*body)(void*, size_t), void* context) override;

private:
    const Api& api_;
    const OrtKernelContext* context_;
    ScratchPool& pool_;
    std::unique_ptr<Scratch> scratch_;
};

}  // namespace latentmoe
