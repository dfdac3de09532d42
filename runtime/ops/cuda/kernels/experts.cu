// MoEExperts for one token after the other, in every pair of types.
#include "experts_token.cuh"

namespace latentmoe::cuda {

EXPERTS_OF_TOKEN(float, float, f32_f32)
EXPERTS_OF_TOKEN(float, bf16, f32_bf16)
EXPERTS_OF_TOKEN(float, f16, f32_f16)
EXPERTS_OF_TOKEN(float, int8, f32_int8)
EXPERTS_OF_TOKEN(float, int4, f32_int4)
EXPERTS_OF_TOKEN(f16, f16, f16_f16)
EXPERTS_OF_TOKEN(f16, int8, f16_int8)
EXPERTS_OF_TOKEN(f16, int4, f16_int4)
EXPERTS_OF_TOKEN(bf16, bf16, bf16_bf16)
EXPERTS_OF_TOKEN(bf16, int8, bf16_int8)
EXPERTS_OF_TOKEN(bf16, int4, bf16_int4)

}  // namespace latentmoe::cuda
