// The kernels for any processor.
#include "kernels.h"

namespace snug {

const KernelTable *portable_kernels() {
    static const KernelTable table = table_of("portable");
    return &table;
}

}  // namespace snug
