// Rows of the benchmark: kernels.jsonl, a line of JSON each, and kernels.md, a table of the same; limits.json, what they are shares of.
#pragma once
#include "bench_case.h"
#include "bench_limits.h"

#include <fstream>
#include <map>
#include <string>

namespace latentmoe::test {

struct BenchRow {
    const char* name;  // of an operator, or step
    bool graph;
    BenchTimes times;
    double bytes, flops;
    std::map<std::string, double> kernels;  // microseconds
};

class BenchRows {
public:
    /// Begins the files anew. Throws Error where the folder cannot be written to.
    BenchRows(const std::string& folder, const BenchLimits& limits);

    void add(const BenchModel& model, const BenchPoint& point, const BenchRow& row);

    /// A case that was not measured, and why.
    void skip(const BenchModel& model, const BenchPoint& point, const std::string& reason);

private:
    std::ofstream json_, table_;
    const BenchLimits limits_;
};

/// As the inside of a JSON string.
std::string json_text(const std::string& text);

}  // namespace latentmoe::test
