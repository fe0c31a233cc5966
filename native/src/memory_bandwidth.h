// How many bytes a second main memory moves with several threads.
#pragma once

#include <cstdint>

namespace snug {

struct Rate {
    double median;  // bytes/s
    double low;     // of the slowest pass
    double high;    // of the fast passes: one in twenty was faster
    int passes;
};

struct Bandwidth {
    Rate read;
    Rate write;
    Rate copy;  // counts the bytes read and the bytes written
    std::uint64_t buffer_bytes;
};

// The buffer to measure with: well above the cache, at most a quarter of `available_bytes` (0: not known).
std::uint64_t buffer_size(std::uint64_t cache_bytes, std::uint64_t available_bytes);

// Runs repeated passes over one buffer of `buffer_bytes` with `threads` threads for about `seconds`.
// Throws std::bad_alloc where the buffer cannot be had and std::system_error where a thread cannot start.
Bandwidth measure_bandwidth(std::uint64_t buffer_bytes, int threads, double seconds);

}  // namespace snug
