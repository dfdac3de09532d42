// LatentAttention: q (B, S, H(dn+dr)), kv (B, S, r+dr), kv_norm (r), kv_b (H(dn+dv), r), cos and sin (max, dr/2), position_ids (B, S),
// attention_mask (B, T), past_key and past_value (B, 1, P, w/2) → out (B, S, H·dv), present_key and present_value (B, 1, max(P, T), w/2),
// where w = r+dr.
#include "../error.h"
#include "weight_types.h"

#include <algorithm>

namespace latentmoe {

namespace {

// Far beyond every model, and small enough that products of three fit 64 bits.
constexpr int64_t most_heads = 1 << 16, most_width = 1 << 20;

enum Input : size_t { q, kv, kv_norm, kv_b, cos, sin, position_ids, attention_mask, past_key, past_value };

class LatentAttentionKernel final : public NodeKernel {
public:
    LatentAttentionKernel(const Node& node, const Operator& op)
        : type_(op.type), format_(weight_format(node, op.inputs[kv_b].type)), cache_(float_type(op.inputs[past_key].type).type) {
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
        LatentAttentionTensors t = read_activations(call);
        read_weights(call, t);
        read_cache(call, t);
        t.out = call.output(0, std::array{t.batch, t.tokens, s.heads * s.value});
        const std::array present{t.batch, int64_t{1}, std::max(t.past, t.total), (s.rank + s.rope) / 2};
        t.present_key = call.output(1, present);
        t.present_value = call.output(2, present);
        call.backend().latent_attention(type_, s, t);
    }

private:
    LatentAttentionTensors read_activations(const Call& call) const {
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
        LatentAttentionTensors t{};
        t.q = query.data;
        t.kv = latent.data;
        t.positions = positions.as<int64_t>();
        t.mask = mask.as<int64_t>();
        t.batch = batch;
        t.tokens = tokens;
        t.total = mask.shape[1];
        return t;
    }

    void read_weights(const Call& call, LatentAttentionTensors& t) const {
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
        t.max_positions = cosines.shape[0];
    }

    void read_cache(const Call& call, LatentAttentionTensors& t) const {
        constexpr const char* because = "by position_ids and the node's attributes: feed a cache made for this model";
        const int64_t width = (settings_.rank + settings_.rope) / 2;
        const Tensor key = call.input(past_key), value = call.input(past_value);
        expect(key, "past_key", {{"batch", t.batch}, {"1", 1}, {"past"}, {"w/2", width}}, because);
        expect(value, "past_value", {{"batch", t.batch}, {"1", 1}, {"past", key.shape[2]}, {"w/2", width}}, because);
        t.past_key = key.data;
        t.past_value = value.data;
        t.past = key.shape[2];
        t.cache = cache_;
    }

    AttentionSettings settings_{};
    Type type_;
    WeightFormat format_;
    Type cache_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op) { return std::make_unique<LatentAttentionKernel>(node, op); }

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
        inference.output(0, {positions[0], positions[1], {*heads * *value, ""}}, inference.element(q));
    }
    if (mask.size() == 2 && past.size() == 4) {
        const Extents present{positions[0], {1, ""}, longer(past[2], mask[1]), past[3]};
        inference.output(1, present, inference.element(past_key));
        inference.output(2, present, inference.element(past_value));
    }
}

void add(Operators& operators, Device device, const FloatType& activations, const FloatType& expansion, const FloatType& cache) {
    constexpr auto number = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    constexpr auto integer = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    operators.push_back({
        "LatentAttention",
        device,
        activations.type,
        {expansion.weight, cache.weight},
        {
            {"q", activations.element},
            {"kv", activations.element},
            {"kv_norm", number},
            {"kv_b", expansion.element},
            {"cos", number},
            {"sin", number},
            {"position_ids", integer},
            {"attention_mask", integer},
            {"past_key", cache.element},
            {"past_value", cache.element},
        },
        {{"out", activations.element}, {"present_key", cache.element}, {"present_value", cache.element}},
        create,
        infer,
    });
}

// Float32 activations go with any weights and a cache of float32 or float16; others with a cache of their own type.
bool go_together(Type activations, Type expansion, Type cache) {
    switch (activations) {
        case Type::F32: return cache != Type::BF16;
        case Type::F16: return cache == activations && expansion == activations;
        case Type::BF16: return cache == activations && expansion != Type::F32;
    }
    return false;
}

}  // namespace

void add_latent_attention(Operators& operators) {
    add_for_all_activations(operators, [](Operators& all, Device device, const FloatType& activations) {
        for (const FloatType& expansion : float_types) {
            for (const FloatType& cache : float_types) {
                if (go_together(activations.type, expansion.type, cache.type)) {
                    add(all, device, activations, expansion, cache);
                }
            }
        }
    });
}

}  // namespace latentmoe
