// Memory, streams, events and graphs. Work is done when it is submitted.
#include "../emulation/emulated_device.h"
#include "handles.h"

#include <cstdlib>
#include <cstring>
#include <set>

namespace latentmoe::fake {

using cuda::Address;
using cuda::Result;
using cuda::StreamHandle;
using cuda::success;

namespace {

std::set<StreamHandle> captured;

void* memory(Address address) { return reinterpret_cast<void*>(address); }

}  // namespace

bool capturing() { return !captured.empty(); }

Result submit(StreamHandle stream, Work work) {
    if (stream != nullptr && stream->capturing) {
        stream->graph.work.push_back(std::move(work));
        return success;
    }
    return work();
}

}  // namespace latentmoe::fake

using namespace latentmoe::fake;
using EventHandle = CUevent_st*;

extern "C" {

Result cuMemAlloc_v2(Address* address, size_t bytes) {
    if (capturing()) {
        return capture_unsupported;
    }
    *address = reinterpret_cast<Address>(latentmoe::emulation::allocate(bytes));
    return scripted("cuMemAlloc_v2");
}

Result cuMemFree_v2(Address address) {
    std::free(memory(address));
    return success;
}

Result cuMemGetInfo_v2(size_t* free, size_t* total) {
    *free = *total = size_t{1} << 30;
    return success;
}

Result cuMemcpyHtoD_v2(Address target, const void* source, size_t bytes) {
    std::memcpy(memory(target), source, bytes);
    return scripted("cuMemcpyHtoD_v2");
}

Result cuMemcpyDtoH_v2(void* target, Address source, size_t bytes) {
    std::memcpy(target, memory(source), bytes);
    return scripted("cuMemcpyDtoH_v2");
}

Result cuMemsetD8Async(Address target, unsigned char value, size_t bytes, StreamHandle stream) {
    return submit(stream, [=] {
        state().cleared += bytes;
        std::memset(memory(target), value, bytes);
        return scripted("cuMemsetD8Async");
    });
}

Result cuMemcpyDtoDAsync_v2(Address target, Address source, size_t bytes, StreamHandle stream) {
    return submit(stream, [=] {
        state().copied += bytes;
        std::memcpy(memory(target), memory(source), bytes);
        return scripted("cuMemcpyDtoDAsync_v2");
    });
}

Result cuStreamCreate(StreamHandle* stream, unsigned) {
    *stream = new CUstream_st();
    return success;
}

Result cuStreamDestroy_v2(StreamHandle stream) {
    captured.erase(stream);
    delete stream;
    return success;
}

Result cuStreamBeginCapture_v2(StreamHandle stream, int) {
    stream->capturing = captured.insert(stream).second;
    return success;
}

Result cuStreamEndCapture(StreamHandle stream, CUgraph_st** graph) {
    captured.erase(stream);
    stream->capturing = false;
    *graph = new CUgraph_st(std::move(stream->graph));
    stream->graph = {};
    return success;
}

Result cuGraphInstantiateWithFlags(CUgraphExec_st** run, CUgraph_st* graph, unsigned long long) {
    *run = new CUgraphExec_st{*graph};
    return success;
}

Result cuGraphLaunch(CUgraphExec_st* run, StreamHandle) {
    for (const Work& work : run->graph.work) {
        if (const Result failed = work(); failed != success) {
            return failed;
        }
    }
    return success;
}

Result cuGraphDestroy(CUgraph_st* graph) {
    delete graph;
    return success;
}

Result cuGraphExecDestroy(CUgraphExec_st* run) {
    delete run;
    return success;
}

Result cuEventCreate(EventHandle* event, unsigned) {
    *event = new CUevent_st();
    return success;
}

Result cuEventDestroy_v2(EventHandle event) {
    delete event;
    return success;
}

Result cuEventRecord(EventHandle event, StreamHandle) {
    event->time = std::chrono::steady_clock::now();
    return success;
}

Result cuEventSynchronize(EventHandle) { return success; }

Result cuEventElapsedTime(float* milliseconds, EventHandle begin, EventHandle end) {
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
    return success;
}
}
