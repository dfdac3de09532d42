#include "images.h"

// The build lays the table out, from the compiled kernels.
extern "C" {
[[gnu::visibility("hidden")]] extern const latentmoe::cuda::Image latentmoe_images[], latentmoe_images_end[];
}

namespace latentmoe::cuda {

std::span<const Image> images() { return {latentmoe_images, latentmoe_images_end}; }

}  // namespace latentmoe::cuda
