#include "ptx.h"

#include "../../ort/error.h"

#include <charconv>

namespace latentmoe::cuda {

namespace {

constexpr std::string_view entry_mark = ".visible .entry ";

// The whole number that stands behind `mark`, and whatever follows it; −1 where there is none.
int number_behind(std::string_view text, std::string_view mark, std::string_view& rest) {
    const size_t at = text.find(mark);
    int number = -1;
    if (at != std::string_view::npos) {
        const char *begin = text.data() + at + mark.size(), *end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(begin, end, number);
        rest = std::string_view(stopped, static_cast<size_t>(end - stopped));
    }
    return number;
}

int number_behind(std::string_view text, std::string_view mark) {
    std::string_view rest;
    return number_behind(text, mark, rest);
}

// Of ".param .u64 name": the bits that end the type.
size_t parameter_size(std::string_view declaration) {
    for (const std::string_view kind : {" .u", " .s", " .b", " .f"}) {
        if (const int bits = number_behind(declaration, kind); bits == 32 || bits == 64) {
            return static_cast<size_t>(bits) / 8;
        }
    }
    fail("PTX declares the parameter '", declaration, "', expected a number of 32 or 64 bits");
}

PtxEntry parse_entry(std::string_view body) {
    PtxEntry entry;
    entry.body = body;
    const std::string_view named = body.substr(entry_mark.size());
    const size_t open = named.find('('), close = named.find(')'), brace = named.find('{');
    constexpr size_t none = std::string_view::npos;
    if (open == none || close == none || close < open || brace == none || brace < close) {
        fail("PTX has an entry without parameters or body: ", named.substr(0, 80));
    }
    entry.name = named.substr(0, open);
    std::string_view parameters = named.substr(open + 1, close - open - 1);
    while (!parameters.empty()) {
        const size_t comma = parameters.find(',');
        const std::string_view declaration = parameters.substr(0, comma);
        if (declaration.find(".param") != std::string_view::npos) {
            entry.parameters.push_back(parameter_size(declaration));
        }
        parameters = comma == std::string_view::npos ? std::string_view() : parameters.substr(comma + 1);
    }
    const int threads = number_behind(named.substr(close, brace - close), ".maxntid ");
    if (threads <= 0) {
        fail("PTX does not bound the threads of ", entry.name);
    }
    entry.threads = static_cast<unsigned>(threads);
    return entry;
}

}  // namespace

Ptx parse_ptx(std::string_view text) {
    Ptx ptx;
    size_t at = text.find(entry_mark);
    ptx.header = text.substr(0, at);
    std::string_view rest;
    const int major = number_behind(ptx.header, ".version ", rest), minor = number_behind(rest, ".");
    ptx.target = number_behind(ptx.header, ".target sm_");
    if (major < 0 || minor < 0 || ptx.target < 0) {
        fail("an image is no PTX: it has no .version and .target");
    }
    ptx.version = major * 10 + minor;
    if (text.find("\n.func") != std::string_view::npos || text.find("\n.visible .func") != std::string_view::npos) {
        fail("PTX has functions outside of its entries");
    }
    while (at != std::string_view::npos) {
        const size_t next = text.find(entry_mark, at + entry_mark.size());
        ptx.entries.push_back(parse_entry(text.substr(at, next == std::string_view::npos ? next : next - at)));
        at = next;
    }
    return ptx;
}

}  // namespace latentmoe::cuda
