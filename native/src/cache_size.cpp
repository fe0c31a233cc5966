// Asks the operating system for the size of the last-level cache.
#include "cache_size.h"

#if defined(__linux__)
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <unistd.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#include <sys/types.h>
#elif defined(_WIN32)
#include <algorithm>
#include <vector>
#include <windows.h>
#endif

namespace snug {

#if defined(__linux__)

namespace {

std::string first_line(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::uint64_t bytes_from(const std::string &text) {
    char *rest = nullptr;
    const std::uint64_t number = std::strtoull(text.c_str(), &rest, 10);
    switch (rest == nullptr ? 0 : *rest) {
        case 'K': return number << 10;
        case 'M': return number << 20;
        case 'G': return number << 30;
        default: return number;
    }
}

}  // namespace

// The kernel lists each cache under every processor that uses it; `shared_cpu_list` tells the copies apart.
std::uint64_t last_level_cache_bytes() {
    int highest_level = 0;
    std::uint64_t total = 0;
    std::set<std::string> seen;
    const long processors = sysconf(_SC_NPROCESSORS_CONF);
    for (long cpu = 0; cpu < processors; ++cpu) {
        for (int index = 0; index < 8; ++index) {
            const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index" +
                                       std::to_string(index) + "/";
            const std::string level_text = first_line(folder + "level");
            if (level_text.empty()) break;
            const int level = std::atoi(level_text.c_str());
            if (first_line(folder + "type") == "Instruction" || level < highest_level) continue;
            if (level > highest_level) {
                highest_level = level;
                total = 0;
                seen.clear();
            }
            if (seen.insert(first_line(folder + "shared_cpu_list")).second) {
                total += bytes_from(first_line(folder + "size"));
            }
        }
    }
    return total;
}

#elif defined(__APPLE__)

std::uint64_t last_level_cache_bytes() {
    for (const char *name : {"hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"}) {
        std::uint64_t value = 0;
        size_t size = sizeof(value);
        if (sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value > 0) return value;
    }
    return 0;
}

#elif defined(_WIN32)

std::uint64_t last_level_cache_bytes() {
    DWORD length = 0;
    GetLogicalProcessorInformationEx(RelationCache, nullptr, &length);
    std::vector<char> buffer(length);
    auto *first = reinterpret_cast<PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>(buffer.data());
    if (length == 0 || !GetLogicalProcessorInformationEx(RelationCache, first, &length)) return 0;
    int highest_level = 0;
    std::uint64_t total = 0;
    for (DWORD offset = 0; offset < length;) {
        auto *item = reinterpret_cast<PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>(buffer.data() + offset);
        if (item->Cache.Level > highest_level) {
            highest_level = item->Cache.Level;
            total = 0;
        }
        if (item->Cache.Level == highest_level) total += item->Cache.CacheSize;
        offset += item->Size;
    }
    return total;
}

#else

std::uint64_t last_level_cache_bytes() { return 0; }

#endif

}  // namespace snug
