// The kernels that this library carries, as PTX of several targets. None where it was built without them.
#pragma once
#include <cstdint>
#include <span>

namespace latentmoe::cuda {

struct Image {
    const char* source;  // the name of the file that it was compiled of, without its ending
    const char* ptx;     // closed by a zero
};

std::span<const Image> images();

}  // namespace latentmoe::cuda
