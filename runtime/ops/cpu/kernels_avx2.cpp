#include "kernels_set.h"
#include "vector_avx2.h"

namespace latentmoe {

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = kernels_of<Avx2>("avx2");

}  // namespace latentmoe
