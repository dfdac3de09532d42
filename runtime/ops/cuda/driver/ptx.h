// The entry points of a PTX text as the compiler writes it, and what each takes.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace latentmoe::cuda {

struct PtxEntry {
    std::string name;
    std::vector<size_t> parameters;  // their sizes in bytes
    unsigned threads = 0;            // that a block may have
    std::string_view body;           // from the entry's first directive to the next entry
};

struct Ptx {
    int version = 0;  // of the language, 74 for 7.4
    int target = 0;   // 80 for sm_80
    std::string_view header;
    std::vector<PtxEntry> entries;

    /// A text of one entry alone, which compiles by itself.
    std::string alone(const PtxEntry& entry) const { return std::string(header) + std::string(entry.body); }
};

/// Views into `text`. Throws Error where it is no PTX, or its entries call functions outside of themselves.
Ptx parse_ptx(std::string_view text);

}  // namespace latentmoe::cuda
