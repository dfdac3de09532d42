#include "bench_rows.h"

#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <cstdio>

namespace latentmoe::test {

namespace {

const char* type_name(cuda::Type type) { return type == cuda::Type::F32 ? "f32" : type == cuda::Type::F16 ? "f16" : "bf16"; }

std::string number(double value, const char* format = "%.6g") {
    char result[64];
    std::snprintf(result, sizeof result, format, value);
    return result;
}

std::string kernel_times(const std::map<std::string, double>& kernels) {
    std::string result;
    for (const auto& [name, time] : kernels) {
        result += (result.empty() ? "" : ", ") + text('"', json_text(name), "\": ", number(time));
    }
    return '{' + result + '}';
}

std::string case_name(const BenchPoint& point) {
    return point.prefill ? text("prefill ", point.context) : text("decode at ", point.context, ", batch ", point.batch);
}

std::ofstream create(const std::string& path) {
    std::ofstream file(path);
    if (!file) {
        fail(path, ": cannot be written");
    }
    return file;
}

// What every row begins with.
std::string head(const BenchModel& model, const BenchPoint& point) {
    return text("{\"preset\": \"", model.shape.name, "\", \"precision\": \"", model.types.precision, "\", \"activations\": \"",
                type_name(model.types.activations), "\", \"engine\": \"operators\", \"phase\": \"", point.prefill ? "prefill" : "decode",
                "\", \"context\": ", point.context, ", \"batch\": ", point.batch);
}

std::string cells(const BenchModel& model, const BenchPoint& point) {
    const char* activations = type_name(model.types.activations);
    return text("| ", model.shape.name, " | ", model.types.precision, " | ", activations, " | ", case_name(point), " | ");
}

}  // namespace

std::string json_text(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return result;
}

BenchRows::BenchRows(const std::string& folder, const BenchLimits& limits)
    : json_(create(folder + "/kernels.jsonl")), table_(create(folder + "/kernels.md")), limits_(limits) {
    create(folder + "/limits.json") << "{\"copy_bytes_per_second\": " << number(limits.copy) << ", \"read_bytes_per_second\": "
                                    << number(limits.read) << ", \"f16_flops_per_second\": " << number(limits.f16)
                                    << ", \"bf16_flops_per_second\": " << number(limits.bf16)
                                    << ", \"f32_flops_per_second\": " << number(limits.f32) << "}\n";
    table_ << "- limits: " << number(limits.copy / 1e9, "%.0f") << " GB/s copied (read and written), " << number(limits.read / 1e9, "%.0f")
           << " GB/s read; " << number(limits.f16 / 1e12, "%.0f") << " TFLOP/s f16 and " << number(limits.bf16 / 1e12, "%.0f")
           << " bf16 (mma), " << number(limits.f32 / 1e12, "%.1f") << " f32 (fma)\n"
           << "- operators: median (range) of captured runs over layers whose weights differ; bandwidth and arithmetic: share of the\n"
           << "  limits (read, and of the activations' type) by the bytes and operations that cannot be done without; kernels: in one\n"
           << "  run, launches apart; step: all layers, the head and the choice of a token\n\n"
           << "| model | precision | activations | case | operator | graph | µs | range | bandwidth | arithmetic | kernels, µs |\n"
           << "|---|---|---|---|---|---|---|---|---|---|---|" << std::endl;
}

void BenchRows::add(const BenchModel& model, const BenchPoint& point, const BenchRow& row) {
    const double seconds = row.times.median / 1e6, bandwidth = row.bytes / seconds / limits_.read;
    const double arithmetic = row.flops / seconds / limits_.flops(model.types.activations);
    json_ << head(model, point) << ", \"operator\": \"" << row.name << "\", \"graph\": " << (row.graph ? "true" : "false")
          << ", \"microseconds\": " << number(row.times.median) << ", \"minimum\": " << number(row.times.least)
          << ", \"maximum\": " << number(row.times.most) << ", \"runs\": " << row.times.runs << ", \"bytes\": " << number(row.bytes, "%.0f")
          << ", \"flops\": " << number(row.flops, "%.0f") << ", \"bandwidth_share\": " << number(bandwidth)
          << ", \"arithmetic_share\": " << number(arithmetic) << ", \"kernels\": " << kernel_times(row.kernels) << "}" << std::endl;
    std::string kernels;
    for (const auto& [name, time] : row.kernels) {
        kernels += (kernels.empty() ? "" : ", ") + name + ' ' + number(time, "%.1f");
    }
    table_ << cells(model, point) << row.name << " | " << (row.graph ? "yes" : "no") << " | " << number(row.times.median, "%.1f") << " | "
           << number(row.times.least, "%.1f") << "–" << number(row.times.most, "%.1f") << " | " << number(100 * bandwidth, "%.0f%%")
           << " | " << number(100 * arithmetic, "%.1f%%") << " | " << kernels << " |" << std::endl;
}

void BenchRows::skip(const BenchModel& model, const BenchPoint& point, const std::string& reason) {
    json_ << head(model, point) << ", \"skipped\": \"" << json_text(reason) << "\"}" << std::endl;
    std::string cell = reason;
    std::replace(cell.begin(), cell.end(), '|', '/');
    std::replace(cell.begin(), cell.end(), '\n', ' ');
    table_ << cells(model, point) << "not measured: " << cell << " | | | | | | |" << std::endl;
}

}  // namespace latentmoe::test
