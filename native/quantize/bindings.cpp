#include "bindings.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "quantize.h"

namespace nb = nanobind;

namespace snug {
namespace {

using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Row = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

BlockType type_named(const std::string &name) {
    for (int i = 0; i < static_cast<int>(BlockType::count); ++i) {
        if (name == block_shape(static_cast<BlockType>(i)).name) return static_cast<BlockType>(i);
    }
    throw nb::value_error("unknown block type");
}

nb::dict block_types() {
    nb::dict shapes;
    for (int i = 0; i < static_cast<int>(BlockType::count); ++i) {
        const BlockShape &shape = block_shape(static_cast<BlockType>(i));
        shapes[shape.name] = nb::make_tuple(shape.values, shape.bytes);
    }
    return shapes;
}

nb::bytes quantize_blocks(const Matrix &weights, const std::string &type_name, const nb::object &importance,
                          std::int64_t threads, const std::string &path) {
    const BlockType type = type_named(type_name);
    const BlockShape &shape = block_shape(type);
    const auto rows = static_cast<std::int64_t>(weights.shape(0));
    const auto columns = static_cast<std::int64_t>(weights.shape(1));
    if (columns % shape.values != 0) throw nb::value_error("columns must be a multiple of the block's size");
    if (threads < 1 || threads > 1024) throw nb::value_error("threads must be between 1 and 1024");
    Row figures;
    if (!importance.is_none()) {
        figures = nb::cast<Row>(importance);
        if (static_cast<std::int64_t>(figures.shape(0)) != columns) {
            throw nb::value_error("importance must have one figure for each column");
        }
    }
    const KernelTable &table = kernels_for(path);
    const auto size = static_cast<std::size_t>(rows * (columns / shape.values) * shape.bytes);
    nb::bytes out = nb::steal<nb::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
    if (!out.is_valid()) throw nb::python_error();
    auto *to = reinterpret_cast<std::uint8_t *>(PyBytes_AsString(out.ptr()));
    {
        nb::gil_scoped_release released;
        quantize_tensor(table, type, weights.data(), importance.is_none() ? nullptr : figures.data(), rows, columns,
                        static_cast<int>(threads), to);
    }
    return out;
}

std::int64_t not_finite(const Matrix &weights) {
    nb::gil_scoped_release released;
    return first_not_finite(weights.data(), static_cast<std::int64_t>(weights.size()));
}

}  // namespace

void bind_quantize(nb::module_ &module) {
    module.def("block_types", &block_types, "Values and bytes of a block, by type name.");
    module.def("simd_paths", &simd_paths, "The kernel paths that this processor can run, slowest first.");
    module.def("first_not_finite", &not_finite, nb::arg("weights"),
               "Index of the first infinite value or NaN in the flattened array; -1 where there is none.");
    module.def("quantize_blocks", &quantize_blocks, nb::arg("weights"), nb::arg("type_name"), nb::kw_only(),
               nb::arg("importance").none() = nb::none(), nb::arg("threads") = 1, nb::arg("path") = "",
               "The blocks of a float32 array of rows x columns, row after row.");
}

}  // namespace snug
