// The size of the last-level cache.
#pragma once

#include <cstdint>

namespace snug {

// Bytes of all last-level caches of this computer together; 0 where the system does not say.
std::uint64_t last_level_cache_bytes();

}  // namespace snug
