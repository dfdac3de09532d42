#include "kernels_set.h"
#include "vector_plain.h"

namespace latentmoe {

extern const Kernels plain_kernels;
const Kernels plain_kernels = kernels_of<Plain>("plain");

}  // namespace latentmoe
