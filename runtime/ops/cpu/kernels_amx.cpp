#include "kernels_amx_product.h"

namespace latentmoe {

extern const MatrixUnit amx_unit;
const MatrixUnit amx_unit = amx_unit_of<HardwareTiles>();

}  // namespace latentmoe
