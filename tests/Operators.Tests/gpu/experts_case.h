// A layer of experts and some tokens, on the host; their output in double precision, and by the operator on the device.
#pragma once
#include "tensors.h"

#include <algorithm>
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace latentmoe::test::experts {

struct Types {
    Type activations;
    WeightType weights;

    bool quantised() const { return weights >= WeightType::Int8; }
};

inline constexpr Types all_pairs[] = {
    {Type::F32, WeightType::F32},   {Type::F32, WeightType::BF16},  {Type::F32, WeightType::F16},  {Type::F32, WeightType::Int8},
    {Type::F32, WeightType::Int4},  {Type::F16, WeightType::F16},   {Type::F16, WeightType::Int8}, {Type::F16, WeightType::Int4},
    {Type::BF16, WeightType::BF16}, {Type::BF16, WeightType::Int8}, {Type::BF16, WeightType::Int4},
};

struct Shape {
    int64_t width, hidden, experts, shared;

    /// A layer's matrices have blocks of one size.
    int64_t block() const { return width % 32 || hidden % 32 || shared % 32 ? 16 : 32; }
};

struct Layer {
    Shape shape;
    Matrix gate_up, down, shared_gate_up, shared_down;

    Layer(WeightType type, Shape s, Random& random)
        : shape(s),
          gate_up(type, s.experts * 2 * s.hidden, s.width, random, 1 / std::sqrt(s.width), s.block()),
          down(type, s.experts * s.width, s.hidden, random, 1 / std::sqrt(s.hidden), s.block()),
          shared_gate_up(type, 2 * s.shared, s.width, random, 1 / std::sqrt(s.width), s.block()),
          shared_down(type, s.width, s.shared, random, 1 / std::sqrt(s.shared + 1), s.block()) {}

    void spoil_all_but(const std::vector<int32_t>& chosen) {
        for (int64_t e = 0; e < shape.experts; e++) {
            if (std::ranges::find(chosen, e) == chosen.end()) {
                gate_up.spoil(e * 2 * shape.hidden, 2 * shape.hidden);
                down.spoil(e * shape.width, shape.width);
            }
        }
    }
};

/// What the operator is given for some tokens, on the host.
struct Case {
    std::vector<float> x;
    std::vector<int32_t> chosen;
    std::vector<float> shares;
    int64_t slots;
    int64_t lead = 0;  // elements between an aligned address and the first

    int64_t tokens() const { return static_cast<int64_t>(chosen.size()) / slots; }
};

/// How a layer is computed: one token after the other; in tiles of tensor cores, from the smallest to the largest; in plain tiles; or as
/// the operator chooses.
enum class Way { ByToken, Tile8, Tile16, Tile32, Tile64, Tile128, Plain, Any };

/// Those that the types allow where sizes are multiples of 64.
std::vector<Way> all_ways(Types types);

/// An expert, or −1, for a token's slot.
using Choose = std::function<int64_t(int64_t token, int64_t slot)>;

/// Different experts for the slots of a token.
Choose at_random(int64_t experts, Random& random);

Case make_case(const Shape& shape, int64_t tokens, int64_t slots, Random& random, const Choose& choose);

/// The device's output must be the reference's.
void compare(const Layer& layer, const Case& c, Types types, const std::vector<Way>& ways);

/// Of a layer in which the matrices of experts that nobody chose are NaN, and the shares of empty slots: neither may count.
void check(Types types, const Shape& shape, int64_t tokens, int64_t slots, const std::vector<Way>& ways, const Choose& choose,
           int64_t lead = 0);

}  // namespace latentmoe::test::experts
