// What Python sees of Snug's C++: the module snug._native.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <nanobind/nanobind.h>

#include "bindings.h"
#include "cache_size.h"
#include "memory_bandwidth.h"

namespace nb = nanobind;

namespace {

void require(bool condition, const char *words) {
    if (!condition) throw nb::value_error(words);
}

nb::dict rate_document(const snug::Rate &rate) {
    nb::dict document;
    document["median"] = rate.median;
    document["low"] = rate.low;
    document["high"] = rate.high;
    document["passes"] = rate.passes;
    return document;
}

nb::dict memory_bandwidth(std::int64_t threads, double seconds, std::int64_t buffer_bytes, std::int64_t cache_bytes,
                          std::int64_t available_bytes) {
    require(threads >= 1 && threads <= 1024, "threads must be between 1 and 1024");
    require(std::isfinite(seconds) && seconds > 0 && seconds <= 60, "seconds must be above 0 and at most 60");
    require(buffer_bytes >= 0 && buffer_bytes <= (1ll << 40), "buffer_bytes must be between 0 and 2**40");
    require(cache_bytes >= 0 && cache_bytes <= (1ll << 40), "cache_bytes must be between 0 and 2**40");
    require(available_bytes >= 0, "available_bytes must not be negative");
    snug::Bandwidth result;
    {
        nb::gil_scoped_release released;
        auto bytes = static_cast<std::uint64_t>(buffer_bytes);
        if (bytes == 0) {
            const auto cache = static_cast<std::uint64_t>(cache_bytes);
            bytes = snug::buffer_size(cache > 0 ? cache : snug::last_level_cache_bytes(),
                                      static_cast<std::uint64_t>(available_bytes));
        } else if (available_bytes > 0) {
            bytes = std::min(bytes, static_cast<std::uint64_t>(available_bytes) / 4);
        }
        result = snug::measure_bandwidth(bytes, static_cast<int>(threads), seconds);
    }
    nb::dict document;
    document["read"] = rate_document(result.read);
    document["write"] = rate_document(result.write);
    document["copy"] = rate_document(result.copy);
    document["buffer_bytes"] = result.buffer_bytes;
    document["threads"] = threads;
    return document;
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "Snug's native code.";
    module.def("last_level_cache_bytes", &snug::last_level_cache_bytes,
               "Bytes of all last-level caches together; 0 where the system does not say.");
    module.def("memory_bandwidth", &memory_bandwidth, nb::arg("threads"), nb::kw_only(), nb::arg("seconds") = 1.0,
               nb::arg("buffer_bytes") = 0, nb::arg("cache_bytes") = 0, nb::arg("available_bytes") = 0,
               "Read, write and copy rates of main memory in bytes/s, each the median of repeated passes.");
    snug::bind_quantize(module);
}
