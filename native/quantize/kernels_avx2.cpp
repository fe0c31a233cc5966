// The kernels for AVX2.
#define SNUG_PATH_AVX2
#include "kernels.h"

namespace snug {

const KernelTable *avx2_kernels() {
    static const KernelTable table = table_of("avx2");
    return &table;
}

}  // namespace snug
