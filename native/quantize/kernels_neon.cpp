// The kernels for NEON.
#define SNUG_PATH_NEON
#include "kernels.h"

namespace snug {

const KernelTable *neon_kernels() {
    static const KernelTable table = table_of("neon");
    return &table;
}

}  // namespace snug
