#include "../../../runtime/ops/cuda/driver/kernel_types.h"
#include "../../../runtime/ops/cuda/driver/ptx.h"
#include "driver_test_fake.h"

using namespace latentmoe;
using namespace latentmoe::test;

static const std::string header = "//\n.version 7.4\n.target sm_80\n.address_size 64\n.extern .shared .align 128 .b8 room[];\n";
static const std::string first =
    ".visible .entry first(\n\t.param .u64 first_param_0,\n\t.param .u64 .ptr .align 1 first_param_1,\n\t.param .f32 first_param_2,\n\t.param .u32 "
    "first_param_3\n)\n.maxntid 256, 1, 1\n{\n\tret;\n}\n";
static const std::string second = ".visible .entry second()\n.maxntid 32, 1, 1\n{\n\tret;\n}\n";

TEST(ptx_entries_are_read) {
    const std::string text = header + first + second;
    const cuda::Ptx ptx = cuda::parse_ptx(text);
    require(ptx.version == 74 && ptx.target == 80 && ptx.entries.size() == 2, "version ", ptx.version, ", target ", ptx.target);
    require(ptx.entries[0].name == "first" && ptx.entries[0].threads == 256, ptx.entries[0].name);
    require(ptx.entries[0].parameters == std::vector<size_t>{8, 8, 4, 4}, "parameters of first");
    require(ptx.entries[1].name == "second" && ptx.entries[1].threads == 32 && ptx.entries[1].parameters.empty(), ptx.entries[1].name);
    require(ptx.alone(ptx.entries[0]) == header + first && ptx.alone(ptx.entries[1]) == header + second, "an entry does not stand alone");
}

static void refused(const std::string& text, const std::string& part) {
    contains(error_of([&] { cuda::parse_ptx(text); }), part);
}

TEST(ptx_that_is_none_is_refused) {
    refused("", "no PTX");
    refused(".version 7\n.target sm_80\n", "no PTX");
    refused(header + ".func helper()\n{\n}\n" + first, "functions outside");
    refused(header + ".visible .entry broken(", "without parameters or body");
    refused(header + ".visible .entry endless()\n{\n}\n", "does not bound the threads of endless");
    refused(header + ".visible .entry wide(\n\t.param .align 8 .b8 wide_param_0[24]\n)\n.maxntid 32, 1, 1\n{\n}\n", "expected a number of 32 or 64 bits");
}

TEST(kernels_are_prepared_by_the_types_in_their_names) {
    using cuda::is_for;
    using cuda::Type;
    require(is_for("router_choice", Type::F16, std::nullopt), "no types");
    require(is_for("add_rms_norm_f16", Type::F16, std::nullopt) && !is_for("add_rms_norm_bf16", Type::F16, std::nullopt), "activations");
    require(is_for("linear_rows1_f16_int4", Type::F16, WeightType::Int4), "weights");
    require(!is_for("linear_rows1_f16_int4", Type::F16, std::nullopt), "weights that nothing reads");
    require(!is_for("linear_rows1_f16_int8", Type::F16, WeightType::Int4), "other weights");
    require(!is_for("linear_rows1_f32_int4", Type::F16, WeightType::Int4), "other activations");
    require(is_for("prepare4_f32_bf16_f16", Type::F32, WeightType::F16), "the last type");
}
