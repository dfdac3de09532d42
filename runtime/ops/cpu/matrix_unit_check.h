// A matrix unit is used only where it agrees with the vectors of the same set: tried once, on a small product.
#pragma once
#include "kernels.h"

namespace latentmoe {

/// Whether products of every kind of weight come out as `dot` gives them, but for rounding.
bool unit_agrees(const Kernels& kernels);

}  // namespace latentmoe
