#include "kernels_set.h"
#include "vector_avx512.h"

namespace latentmoe {

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = kernels_of<Avx512>("avx512");

}  // namespace latentmoe
