// Times the operators, alone and as a decode step, at the benchmark's model shape:
// gpu_bench --status | --name | --facts FILE | --images DIR --output DIR [--shape=tiny] [--quick] [--precision=f16,…]
// --status says in a line whether kernels can run here (exit code 0) or why not (1). What cannot be measured becomes a row that says why.
#include "../../../runtime/ops/cuda/driver/status.h"
#include "../../../runtime/ops/ort/error.h"
#include "bench_rows.h"

#include <iostream>
#include <string_view>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Options {
    std::string verb, facts, images, output, precisions;
    bool quick = false, tiny = false;
};

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; i++) {
        const std::string argument = arguments[i];
        const auto value = [&]() -> std::string {
            if (i + 1 == count) {
                fail(argument, " needs a value");
            }
            return arguments[++i];
        };
        if (argument == "--status" || argument == "--name") {
            options.verb = argument;
        } else if (argument == "--facts") {
            options.verb = argument;
            options.facts = value();
        } else if (argument == "--images") {
            options.images = value();
        } else if (argument == "--output") {
            options.output = value();
        } else if (argument.starts_with("--precision=")) {
            options.precisions = ',' + argument.substr(12) + ',';
        } else if (argument == "--quick") {
            options.quick = true;
        } else if (argument == "--shape=tiny") {
            options.tiny = true;
        } else {
            fail("there is no option ", argument);
        }
    }
    if (options.verb.empty() && (options.images.empty() || options.output.empty())) {
        fail("--images and --output are needed");
    }
    return options;
}

std::string device_name() {
    const cuda::Driver& driver = cuda::driver();
    cuda::Ordinal device = 0;
    driver.check(driver.device_get(&device, 0), "CUDA device 0");
    char name[256] = {};
    driver.check(driver.device_name(name, sizeof name - 1, device), "the device's name");
    return name;
}

void write_facts(const std::string& path) {
    BenchTimer timer(1);
    const cuda::DeviceProperties& p = timer.device().properties();
    const DeviceApi& api = device_api();
    size_t free = 0, total = 0;
    int version = 0;
    api.check(api.memory_info(&free, &total), "the device's memory");
    api.check(api.driver.driver_version(&version), "the driver's version");
    std::ofstream file(path);
    file << "{\"name\": \"" << json_text(device_name()) << "\", \"compute_capability\": \"" << p.major << '.' << p.minor
         << "\", \"multiprocessors\": " << p.multiprocessors << ", \"shared_bytes\": " << p.shared_bytes << ", \"memory_bytes\": " << total
         << ", \"free_bytes\": " << free << ", \"driver_cuda\": \"" << version / 1000 << '.' << version % 1000 / 10 << "\"}\n";
    if (!file) {
        fail(path, ": cannot be written");
    }
}

std::vector<BenchPoint> points(const Options& options) {
    if (options.tiny) {
        return {{false, 0, 1}, {false, 20, 3}, {true, 24, 1}};
    }
    if (options.quick) {
        return {{false, 0, 1}, {false, 1024, 8}, {true, 512, 1}};
    }
    std::vector<BenchPoint> all;
    for (const int64_t context : {0, 1024, 4096}) {
        for (const int64_t batch : {1, 8, 64, 256}) {
            all.push_back({false, context, batch});
        }
    }
    all.push_back({true, 512, 1});
    all.push_back({true, 4096, 1});
    return all;
}

BenchRow measure_operator(BenchTimer& timer, const BenchOperator& op) {
    const auto call = [&](int64_t layer) {
        op.run(timer.device(), layer);
        timer.end_call();
    };
    const auto all = [&] {
        for (int64_t layer = 0; layer < op.layers; layer++) {
            call(layer);
        }
    };
    const BenchTimes times = timer.time(op.layers, all, true);
    return {op.name, true, times, op.bytes, op.flops, timer.kernels([&] { call(0); })};
}

/// Whether all of it could be measured.
bool measure(BenchTimer& timer, BenchRows& rows, const BenchModel& model, const BenchPoint& point) {
    bool whole = true;
    const auto attempt = [&](const char* name, const std::function<BenchRow()>& row) {
        try {
            rows.add(model, point, row());
        } catch (const std::exception& error) {
            rows.skip(model, point, text(name, ": ", error.what()));
            std::cerr << name << ": " << error.what() << '\n';
            whole = false;
        }
    };
    const BenchCase all(model, point);
    for (const BenchOperator& op : all.operators) {
        attempt(op.name, [&] { return measure_operator(timer, op); });
    }
    const auto step = [&] { all.step(timer.device(), [&] { timer.end_call(); }); };
    for (const bool graph : {false, true}) {
        attempt("step", [&]() -> BenchRow { return {"step", graph, timer.time(1, step, graph), all.step_bytes(), all.step_flops(), {}}; });
    }
    return whole;
}

// Room that kernels' working memory and the driver want beside what is known.
bool fits(const BenchModel& model, const BenchPoint& point) {
    size_t free = 0, total = 0;
    device_api().check(device_api().memory_info(&free, &total), "the device's memory");
    return BenchCase::bytes(model, point) < 0.7 * static_cast<double>(free);
}

bool run(const Options& options) {
    bool whole = true;
    BenchTimer timer(options.tiny ? 1 : options.quick ? 3 : 15);
    BenchRows rows(options.output, measure_limits(timer, options.images, options.tiny));
    const BenchShape& shape = options.tiny ? bench_tiny : bench_m;
    const int64_t layers = options.tiny ? shape.layers : 4 * shape.layers;
    for (const BenchTypes& types : bench_types) {
        if (!options.precisions.empty() && options.precisions.find(text(',', types.precision, ',')) == std::string::npos) {
            continue;
        }
        const BenchModel model(shape, types, layers);
        for (const BenchPoint& point : points(options)) {
            if (fits(model, point)) {
                whole = measure(timer, rows, model, point) && whole;
            } else {
                rows.skip(model, point, "too little device memory");
            }
        }
    }
    return whole;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const Options options = parse(count, arguments);
        if (options.verb == "--status") {
            const cuda::Status status = cuda::status();
            std::cout << status.text << '\n';
            return status.usable ? 0 : 1;
        }
        if (options.verb == "--name") {
            std::cout << device_name() << '\n';
        } else if (options.verb == "--facts") {
            write_facts(options.facts);
        } else {
            return run(options) ? 0 : 1;
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
