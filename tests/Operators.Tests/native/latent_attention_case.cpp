#include "latent_attention_case.h"

namespace latentmoe::test {

AttentionCase::AttentionCase(const AttentionSettings& settings, const Layout& layout, int64_t context, Random random)
    : s(settings),
      l(layout),
      gain(random.normal(s.rank, 0.2, 1)),
      cos(most * s.rope / 2),
      sin(most * s.rope / 2),
      kv_b(l.type, s.heads * (s.nope + s.value), s.rank, random, 1 / std::sqrt(static_cast<double>(s.rank))),
      q(random.normal(l.batch * l.tokens * s.heads * (s.nope + s.rope))),
      kv(random.normal(l.batch * l.tokens * width())),
      positions(l.batch * l.tokens),
      mask(l.batch * l.total, 1),
      past_key(l.half_cache, l.batch * l.past * width() / 2, 0),
      past_value(l.half_cache, l.batch * l.past * width() / 2, 0),
      present_key(l.half_cache, l.batch * l.present() * width() / 2, NAN),
      present_value(l.half_cache, l.batch * l.present() * width() / 2, NAN),
      out(l.batch * l.tokens * out_width(), NAN) {
    for (int64_t i = 0; i < cos.size(); i++) {
        const double angle = static_cast<double>(i / (s.rope / 2)) * std::pow(10000, -2.0 * static_cast<double>(i % (s.rope / 2)) / s.rope);
        cos[i] = static_cast<float>(std::cos(angle));
        sin[i] = static_cast<float>(std::sin(angle));
    }
    for (int64_t i = 0; i < positions.size(); i++) {
        positions[i] = context + i % l.tokens;
    }
    for (int64_t i = 0; i < past_key.size(); i++) {
        past_key.set(i, random.normal());
        past_value.set(i, random.normal());
    }
}

std::vector<double> AttentionCase::expected_present() const {
    const int64_t columns = l.present();
    std::vector<double> rows(static_cast<size_t>(l.batch * columns * width()));
    for (int64_t b = 0; b < l.batch; b++) {
        double* row = rows.data() + b * columns * width();
        for (int64_t i = 0; i < l.past * width(); i++) {
            row[i] = element(past_key, past_value, b * l.past + i / width(), i % width());
        }
        for (int64_t t = 0; t < l.tokens; t++) {
            if (!lives(b, t)) {
                continue;
            }
            const int64_t position = positions[b * l.tokens + t];
            const float* x = kv.data() + (b * l.tokens + t) * width();
            double squares = 0;
            for (int64_t i = 0; i < s.rank; i++) {
                squares += static_cast<double>(x[i]) * x[i];
            }
            for (int64_t i = 0; i < s.rank; i++) {
                row[position * width() + i] = x[i] / std::sqrt(squares / static_cast<double>(s.rank) + s.epsilon) * gain[i];
            }
            const std::vector<double> key = turned(x + s.rank, position);
            std::copy(key.begin(), key.end(), row + position * width() + s.rank);
        }
    }
    return rows;
}

std::vector<double> AttentionCase::expected_out() const {
    const std::vector<double> present = actual_present();
    const int64_t head_width = s.nope + s.rope, limit = std::min(seen(), l.present());
    std::vector<double> result(static_cast<size_t>(l.batch * l.tokens * out_width()));
    std::vector<double> query(static_cast<size_t>(width())), mean(static_cast<size_t>(s.rank));
    for (int64_t item = 0; item < l.batch * l.tokens * s.heads; item++) {
        const int64_t token = item / s.heads, head = item % s.heads, columns = std::min(positions[token] + 1, limit);
        if (columns <= 0) {
            continue;
        }
        const double* row = present.data() + token / l.tokens * l.present() * width();
        const float* x = q.data() + item * head_width;
        const int64_t expand = head * (s.nope + s.value);
        std::fill(query.begin(), query.end(), 0);
        for (int64_t i = 0; i < s.nope * s.rank; i++) {
            query[static_cast<size_t>(i % s.rank)] += x[i / s.rank] * kv_b.at(expand + i / s.rank, i % s.rank);
        }
        const std::vector<double> rope = turned(x + s.nope, positions[token]);
        std::copy(rope.begin(), rope.end(), query.begin() + s.rank);
        std::vector<double> weights;
        for (int64_t column = 0; column < columns; column++) {
            double score = 0;
            for (int64_t i = 0; i < width(); i++) {
                score += query[static_cast<size_t>(i)] * row[column * width() + i];
            }
            weights.push_back(score * s.scale);
        }
        const double largest = *std::max_element(weights.begin(), weights.end());
        double sum = 0;
        std::fill(mean.begin(), mean.end(), 0);
        for (int64_t column = 0; column < columns; column++) {
            const double weight = std::exp(weights[static_cast<size_t>(column)] - largest);
            sum += weight;
            for (int64_t i = 0; i < s.rank; i++) {
                mean[static_cast<size_t>(i)] += weight * row[column * width() + i];
            }
        }
        for (int64_t i = 0; i < s.value * s.rank; i++) {
            result[static_cast<size_t>(item * s.value + i / s.rank)] +=
                mean[static_cast<size_t>(i % s.rank)] / sum * kv_b.at(expand + s.nope + i / s.rank, i % s.rank);
        }
    }
    return result;
}

} // namespace latentmoe::test
