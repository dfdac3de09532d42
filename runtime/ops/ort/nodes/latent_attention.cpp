// LatentAttention: q (B, S, H(dn+dr)), kv (B, S, r+dr), kv_norm (r), kv_b (H(dn+dv), r), cos and sin (max, dr/2), position_ids (B, S),
// attention_mask (B, T), past_key and past_value (B, 1, P, w/2) → out (B, S, H·dv), present_key and present_value (B, 1, max(P, T), w/2),
// where w = r+dr.
#include "../../cpu/operators.h"
#include "../error.h"
#include "positions.h"
#include "weight_types.h"

#include <algorithm>

namespace latentmoe {

namespace {

// Far beyond every model, and small enough that products of three fit 64 bits.
constexpr int64_t most_heads = 1 << 16, most_width = 1 << 20;

enum Input : size_t { q, kv, kv_norm, kv_b, cos, sin, position_ids, attention_mask, past_key, past_value };

class LatentAttentionKernel final : public NodeKernel {
public:
    LatentAttentionKernel(const Node& node, const Operator& op, const Kernels& kernels)
        : format_(weight_format(node, op.inputs[kv_b].type)),
          half_cache_(op.inputs[past_key].type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16),
          kernels_(kernels) {
        AttentionSettings& s = settings_;
        s.heads = node.integer("num_heads", 1, most_heads);
        s.nope = node.integer("qk_nope_head_dim", 1, most_width);
        s.rope = node.integer("qk_rope_head_dim", 2, most_width);
        s.value = node.integer("v_head_dim", 1, most_width);
        s.rank = node.integer("kv_lora_rank", 1, most_width);
        s.scale = node.number("scale");
        s.epsilon = node.number("epsilon");
        s.interleave = node.flag("rope_interleave");
        if (s.rope % 2 != 0) {
            fail("attribute qk_rope_head_dim is ", s.rope, ", expected an even number, as it turns pairs");
        }
        if (s.rank % 2 != 0) {
            fail("attribute kv_lora_rank is ", s.rank, ", expected an even number, as the cache holds each row in two halves");
        }
        if (s.epsilon < 0) {
            fail("attribute epsilon is ", s.epsilon, ", expected 0 or more");
        }
    }

    void compute(Call& call) const override {
        const AttentionSettings& s = settings_;
        AttentionTensors t = read_activations(call);
        const int64_t most_positions = read_weights(call, t);
        read_cache(call, t);
        const int64_t columns = std::max(t.past, t.total);
        check_positions({t.positions, t.mask, t.batch, t.tokens, t.total, columns, most_positions});
        t.out = call.output<float>(0, std::array{t.batch, t.tokens, s.heads * s.value});
        const std::array present{t.batch, int64_t{1}, columns, (s.rank + s.rope) / 2};
        t.present_key = call.output<void>(1, present);
        t.present_value = call.output<void>(2, present);
        latent_attention(call.host(), kernels_, s, t);
    }

private:
    AttentionTensors read_activations(const Call& call) const {
        constexpr const char* because = "by position_ids and the node's attributes: export the model again";
        const AttentionSettings& s = settings_;
        const Tensor positions = call.input(position_ids), mask = call.input(attention_mask);
        expect(positions, "position_ids", {{"batch", Axis::some}, {"sequence", Axis::some}}, "by the operator: feed at least one token");
        const int64_t batch = positions.shape[0], tokens = positions.shape[1];
        expect(mask, "attention_mask", {{"batch", batch}, {"total", Axis::some}}, "by position_ids: feed a mask of every row");
        if (mask.shape[1] < tokens) {
            fail("attention_mask has ", mask.shape[1], " columns, expected at least one for each of the ", tokens,
                 " tokens of position_ids: feed a mask of the past and the new tokens");
        }
        const Tensor query = call.input(q), latent = call.input(kv);
        expect(query, "q", {{"batch", batch}, {"sequence", tokens}, {"H(dn+dr)", s.heads * (s.nope + s.rope)}}, because);
        expect(latent, "kv", {{"batch", batch}, {"sequence", tokens}, {"r+dr", s.rank + s.rope}}, because);
        AttentionTensors t{};
        t.q = query.as<float>();
        t.kv = latent.as<float>();
        t.positions = positions.as<int64_t>();
        t.mask = mask.as<int64_t>();
        t.batch = batch;
        t.tokens = tokens;
        t.total = mask.shape[1];
        return t;
    }

    // Gives the number of positions that the rotary tables hold.
    int64_t read_weights(const Call& call, AttentionTensors& t) const {
        constexpr const char* because = "by the node's attributes: export the model again";
        const AttentionSettings& s = settings_;
        const Tensor norm = call.input(kv_norm), cosines = call.input(cos), sines = call.input(sin);
        expect(norm, "kv_norm", {{"r", s.rank}}, because);
        expect(cosines, "cos", {{"positions", Axis::some}, {"dr/2", s.rope / 2}}, because);
        expect(sines, "sin", {{"positions", cosines.shape[0]}, {"dr/2", s.rope / 2}}, because);
        t.kv_b = read_weight(call, format_, kv_b, "kv_b", {{"H(dn+dv)", s.heads * (s.nope + s.value)}, {"r", s.rank}});
        t.kv_norm = norm.as<float>();
        t.cos = cosines.as<float>();
        t.sin = sines.as<float>();
        return cosines.shape[0];
    }

    void read_cache(const Call& call, AttentionTensors& t) const {
        constexpr const char* because = "by position_ids and the node's attributes: feed a cache made for this model";
        const int64_t width = (settings_.rank + settings_.rope) / 2;
        const Tensor key = call.input(past_key), value = call.input(past_value);
        expect(key, "past_key", {{"batch", t.batch}, {"1", 1}, {"past"}, {"w/2", width}}, because);
        expect(value, "past_value", {{"batch", t.batch}, {"1", 1}, {"past", key.shape[2]}, {"w/2", width}}, because);
        t.past_key = key.data;
        t.past_value = value.data;
        t.past = key.shape[2];
        t.half_cache = half_cache_;
    }

    AttentionSettings settings_{};
    WeightFormat format_;
    bool half_cache_;
    const Kernels& kernels_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op, const Kernels& kernels) {
    return std::make_unique<LatentAttentionKernel>(node, op, kernels);
}

// max(past, total), where both are known.
Extent longer(const Extent& past, const Extent& total) {
    if (past.size >= 0 && total.size >= 0) {
        return {std::max(past.size, total.size), ""};
    }
    const auto name = [](const Extent& extent) { return extent.size >= 0 ? text(extent.size) : extent.name; };
    return past.known() && total.known() ? Extent{-1, text("max(", name(past), ",", name(total), ")")} : Extent{};
}

void infer(Inference& inference) {
    const Extents positions = inference.input(position_ids), mask = inference.input(attention_mask), past = inference.input(past_key);
    if (positions.size() != 2) {
        return;
    }
    const auto heads = inference.integer("num_heads"), value = inference.integer("v_head_dim");
    if (heads && value && *heads <= most_heads && *value <= most_width) {
        inference.output(0, {positions[0], positions[1], {*heads * *value, ""}}, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
    if (mask.size() == 2 && past.size() == 4) {
        const Extents present{positions[0], {1, ""}, longer(past[2], mask[1]), past[3]};
        inference.output(1, present, inference.element(past_key));
        inference.output(2, present, inference.element(past_value));
    }
}

void add(Operators& operators, ONNXTensorElementDataType expansion, ONNXTensorElementDataType cache) {
    constexpr auto number = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    constexpr auto integer = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    operators.push_back({
        "LatentAttention",
        Device::Cpu,
        {
            {"q", number},
            {"kv", number},
            {"kv_norm", number},
            {"kv_b", expansion},
            {"cos", number},
            {"sin", number},
            {"position_ids", integer},
            {"attention_mask", integer},
            {"past_key", cache},
            {"past_value", cache},
        },
        {{"out", number}, {"present_key", cache}, {"present_value", cache}},
        create,
        infer,
    });
}

}  // namespace

void add_latent_attention(Operators& operators) {
    for (const FloatType& type : float_types) {
        add(operators, type.element, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
        add(operators, type.element, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
    }
}

}  // namespace latentmoe
