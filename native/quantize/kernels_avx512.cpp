// The kernels for AVX512.
#define SNUG_PATH_AVX512
#include "kernels.h"

namespace snug {

const KernelTable *avx512_kernels() {
    static const KernelTable table = table_of("avx512");
    return &table;
}

}  // namespace snug
