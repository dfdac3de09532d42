// The reference of the CPU operator's tests serves these too.
#include "../native/latent_attention_case.cpp"
