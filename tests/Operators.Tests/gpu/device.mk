# The same tests for a GPU, and its benchmarks: make -f device.mk OUT=<folder> [OPS_OUT=<folder>] [CLANG=clang++-19] builds gpu_tests,
# gpu_bench and, in ptx/, the images of the benchmark's own kernels; objects and images of the operators are in OPS_OUT, made if need be.
OUT ?= build
OPS_OUT ?= $(OUT)
CLANG ?= clang++-19
override OUT := $(abspath $(OUT))
override OPS_OUT := $(abspath $(OPS_OUT))
TESTS := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
OPS := $(abspath $(TESTS)/../../../runtime/ops)

CXXFLAGS := -std=c++20 -O1 -fno-math-errno -fno-strict-aliasing -Wall -Wextra -Werror
# They run on other distributions, which may have an older C++ library.
LDFLAGS := -static-libstdc++ -static-libgcc

cuda_sources := $(wildcard $(OPS)/cuda/driver/*.cpp $(OPS)/cuda/launch/*.cpp)
cuda := $(cuda_sources:$(OPS)/%.cpp=$(OPS_OUT)/objects/%.o) $(OPS_OUT)/objects/images.o
test_sources := $(filter-out $(TESTS)emulat% $(TESTS)bench%,$(wildcard $(TESTS)*.cpp))
bench_sources := $(wildcard $(TESTS)bench*.cpp) $(TESTS)device_api.cpp
tests := $(test_sources:$(TESTS)%.cpp=$(OUT)/tests/%.o)
bench := $(bench_sources:$(TESTS)%.cpp=$(OUT)/tests/%.o)
kernels := $(patsubst $(TESTS)%.cu,%,$(wildcard $(TESTS)*.cu))
images := $(foreach target,sm_80 sm_90,$(kernels:%=$(OUT)/ptx/$(target)/%.ptx))

.PHONY: all operators
all: $(OUT)/gpu_tests $(OUT)/gpu_bench $(images)

$(OUT)/gpu_tests: $(tests) $(cuda)
	$(CXX) -o $@.part $^ $(LDFLAGS) -ldl && mv -f $@.part $@

$(OUT)/gpu_bench: $(bench) $(cuda)
	$(CXX) -o $@.part $^ $(LDFLAGS) -ldl && mv -f $@.part $@

# The operators' own Makefile compiles them and their images.
$(cuda): operators ;
operators:
	$(MAKE) -C $(OPS) OUT=$(OPS_OUT) CLANG=$(CLANG) $(cuda)

$(OUT)/ptx/sm_80/%.ptx: version := ptx74
$(OUT)/ptx/sm_90/%.ptx: version := ptx78
$(images): $(OUT)/ptx/%.ptx:
	@mkdir -p $(@D)
	$(CLANG) -x cuda --cuda-device-only -nocudainc -nocudalib -std=c++17 -O3 -fno-strict-aliasing -Wall -Wextra -Werror \
	    --cuda-gpu-arch=$(notdir $(@D)) --cuda-feature=+$(version) -S -o $@.part $(TESTS)$(notdir $*).cu && mv -f $@.part $@
$(images): $(kernels:%=$(TESTS)%.cu) $(wildcard $(OPS)/cuda/kernels/*.cuh)

$(OUT)/tests/%.o: $(TESTS)%.cpp
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -MMD -MP -c -o $@ $<

-include $(tests:.o=.d) $(bench:.o=.d)
