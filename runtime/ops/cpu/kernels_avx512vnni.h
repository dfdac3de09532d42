// Products of bytes, for sets of AVX-512.
#pragma once
#include "kernels.h"

namespace latentmoe {

/// Quantised weights' dot products in whole numbers, on machines that have AVX-512 VNNI.
void use_byte_products(Kernels& kernels);

}  // namespace latentmoe
