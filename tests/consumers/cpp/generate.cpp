// Continues token ids greedily through ONNX Runtime's C++ interface, which is headers alone over the C one and throws at every status.
// One buffer for each half of a layer's cache is bound as past and as present, so that every step writes into it where it lies.
// usage: generate [--library liblatentmoe_ops.so] [--session KEY=VALUE] [--tokens 64] [--end ID] PACKAGE ID [ID ...]
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int64_t most_tokens = 1 << 20, most_width = 1 << 16, most_bytes = int64_t{1} << 36;

[[noreturn]] void fail(const std::string& message) { throw std::runtime_error(message); }

struct Arguments {
    std::string package, library;
    std::vector<std::pair<std::string, std::string>> session;
    int64_t tokens = 64, end = -1;
    std::vector<int64_t> prompt;
};

int64_t number(const std::string& what, const std::string& text, int64_t least, int64_t most) {
    size_t used = 0;
    int64_t value = 0;
    try {
        value = std::stoll(text, &used);
    } catch (const std::logic_error&) {
    }
    if (used == 0 || used != text.size() || value < least || value > most) {
        fail(what + " is '" + text + "', expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value;
}

Arguments parse(int count, char** values) {
    Arguments result;
    for (int i = 1; i < count; i++) {
        const std::string text = values[i];
        if (text.rfind("--", 0) != 0) {
            if (result.package.empty()) {
                result.package = text;
            } else {
                result.prompt.push_back(number("a token id", text, 0, std::numeric_limits<int32_t>::max()));
            }
            continue;
        }
        if (++i == count) {
            fail(text + " has no value");
        }
        const std::string value = values[i];
        const size_t equals = value.find('=');
        if (text == "--library") {
            result.library = value;
        } else if (text == "--session" && equals != std::string::npos) {
            result.session.emplace_back(value.substr(0, equals), value.substr(equals + 1));
        } else if (text == "--tokens") {
            result.tokens = number(text, value, 1, most_tokens);
        } else if (text == "--end") {
            result.end = number(text, value, 0, std::numeric_limits<int32_t>::max());
        } else {
            fail("'" + text + " " + value + "' is not understood, expected --library FILE, --session KEY=VALUE, --tokens N or --end ID");
        }
    }
    if (result.prompt.empty() || result.prompt.size() > most_tokens) {
        fail("expected generate [--library FILE] [--session KEY=VALUE] [--tokens N] [--end ID] PACKAGE ID [ID ...], with at most " +
             std::to_string(most_tokens) + " ids");
    }
    return result;
}

// Element type and shape of an input or output of the model; what varies has the size -1.
struct Tensor {
    std::string name;
    ONNXTensorElementDataType type;
    std::vector<int64_t> shape;

    Tensor(const std::string& name, const Ort::TypeInfo& info) : name(name) {
        if (info.GetONNXType() != ONNX_TYPE_TENSOR) {
            fail("the model's " + name + " is no tensor");
        }
        const auto tensor = info.GetTensorTypeAndShapeInfo();
        type = tensor.GetElementType();
        shape = tensor.GetShape();
    }
};

int64_t bytes_of(const Tensor& tensor) {
    switch (tensor.type) {
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return 4;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: return 2;
        default: fail("the model's " + tensor.name + " has the element type " + std::to_string(tensor.type) + ", expected a float type");
    }
}

// The keys or the values of one layer: a zeroed buffer for all tokens, and the tensor over it.
struct Half {
    std::string past, present;
    std::vector<std::byte> buffer;
    Ort::Value value{nullptr};

    Half(const Tensor& input, int64_t tokens, const OrtMemoryInfo* memory) : past(input.name), present("present" + past.substr(past.find('.'))) {
        const auto& shape = input.shape;
        if (shape.size() != 4 || shape[1] < 1 || shape[1] > most_width || shape[3] < 1 || shape[3] > most_width) {
            fail("the model's " + past + " has an unexpected shape, expected [batch, heads, tokens, size of a head]");
        }
        // Each factor is bounded, so that no product overflows.
        const int64_t bytes = shape[1] * shape[3] * tokens * bytes_of(input);
        if (bytes > most_bytes) {
            fail("the model's " + past + " would take " + std::to_string(bytes) + " bytes, expected at most " + std::to_string(most_bytes));
        }
        buffer.resize(static_cast<size_t>(bytes));
        const int64_t whole[] = {1, shape[1], tokens, shape[3]};
        value = Ort::Value::CreateTensor(memory, buffer.data(), buffer.size(), whole, 4, input.type);
    }
};

template <typename T>
int64_t most_likely(const Ort::Value& logits, int64_t count) {
    const T* row = logits.GetTensorData<T>();
    const auto less = [](T a, T b) { return static_cast<float>(a) < static_cast<float>(b); };
    return std::max_element(row, row + count, less) - row;
}

class Decoder {
public:
    Decoder(const std::string& file, const Ort::SessionOptions& options, int64_t tokens) : session_(environment_, file.c_str(), options), binding_(session_) {
        const auto inputs = session_.GetInputNames(), outputs = session_.GetOutputNames();
        halves_.reserve(inputs.size());
        for (size_t i = 0; i < inputs.size(); i++) {
            if (inputs[i].rfind("past_key_values.", 0) == 0) {
                const Half& half = halves_.emplace_back(Tensor(inputs[i], session_.GetInputTypeInfo(i)), tokens, memory_);
                binding_.BindInput(half.past.c_str(), half.value);
                binding_.BindOutput(half.present.c_str(), half.value);
            }
        }
        const auto logits = std::find(outputs.begin(), outputs.end(), "logits");
        if (halves_.empty() || logits == outputs.end()) {
            fail(file + " has no past_key_values or no logits: it is no decoder with a cache");
        }
        const Tensor output("logits", session_.GetOutputTypeInfo(static_cast<size_t>(logits - outputs.begin())));
        if (output.shape.size() != 3 || output.shape[2] < 1 || output.shape[2] > std::numeric_limits<int32_t>::max()) {
            fail("the model's logits have an unexpected shape, expected [batch, tokens, vocabulary]");
        }
        vocabulary_ = output.shape[2];
        const int64_t last[] = {1, 1, vocabulary_};
        logits_ = Ort::Value::CreateTensor(allocator_, last, 3, output.type);
        binding_.BindOutput("logits", logits_);
        // Of a prompt too, only the last token's logits.
        binding_.BindInput("num_logits_to_keep", Ort::Value::CreateTensor<int64_t>(memory_, &keep_, 1, nullptr, 0));
    }

    // The most likely token after the given ones, which follow those of earlier calls.
    int64_t next(std::vector<int64_t> ids) {
        for (const int64_t id : ids) {
            if (id >= vocabulary_) {
                fail("token id " + std::to_string(id) + " is not in the vocabulary, expected less than " + std::to_string(vocabulary_));
            }
        }
        std::vector<int64_t> positions;
        for (size_t i = 0; i < ids.size(); i++) {
            positions.push_back(length_++);
        }
        std::vector<int64_t> mask(static_cast<size_t>(length_), 1);
        bind("input_ids", ids);
        bind("position_ids", positions);
        bind("attention_mask", mask);
        session_.Run(Ort::RunOptions(), binding_);
        switch (logits_.GetTensorTypeAndShapeInfo().GetElementType()) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return most_likely<float>(logits_, vocabulary_);
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: return most_likely<Ort::Float16_t>(logits_, vocabulary_);
            default: fail("the model's logits are neither float32 nor float16");
        }
    }

private:
    void bind(const char* name, std::vector<int64_t>& values) {
        const int64_t shape[] = {1, static_cast<int64_t>(values.size())};
        binding_.BindInput(name, Ort::Value::CreateTensor<int64_t>(memory_, values.data(), values.size(), shape, 2));
    }

    Ort::Env environment_{ORT_LOGGING_LEVEL_FATAL, "generate"};
    Ort::AllocatorWithDefaultOptions allocator_;
    Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    Ort::Session session_;
    std::vector<Half> halves_;
    Ort::Value logits_{nullptr};
    Ort::IoBinding binding_;
    int64_t length_ = 0, vocabulary_ = 0, keep_ = 1;
};

Ort::SessionOptions session_options(const Arguments& arguments) {
    Ort::SessionOptions options;
    for (const auto& [key, value] : arguments.session) {
        options.AddConfigEntry(key.c_str(), value.c_str());
    }
    // The library reads the entries when it is registered.
    if (!arguments.library.empty()) {
        options.RegisterCustomOpsLibrary(arguments.library.c_str());
    }
    return options;
}

void generate(const Arguments& arguments) {
    const int64_t capacity = static_cast<int64_t>(arguments.prompt.size()) + arguments.tokens;
    Decoder decoder(arguments.package + "/model.onnx", session_options(arguments), capacity);
    const auto start = std::chrono::steady_clock::now();
    std::vector<int64_t> generated = {decoder.next(arguments.prompt)};
    while (static_cast<int64_t>(generated.size()) < arguments.tokens && generated.back() != arguments.end) {
        generated.push_back(decoder.next({generated.back()}));
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("{\"runtime\":\"%s\",\"tokens\":[", Ort::GetVersionString().c_str());
    for (size_t i = 0; i < generated.size(); i++) {
        std::printf("%s%lld", i == 0 ? "" : ",", static_cast<long long>(generated[i]));
    }
    std::printf("],\"tokens_per_second\":%.0f}\n", static_cast<double>(generated.size()) / elapsed.count());
}

}  // namespace

int main(int count, char** values) {
    try {
        generate(parse(count, values));
        return 0;
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "generate: not enough memory for the cache: ask for fewer tokens\n");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "generate: %s\n", e.what());
    }
    return 1;
}
