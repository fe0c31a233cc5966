#include "bindings.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "feedback.h"
#include "quantize.h"

namespace nb = nanobind;

namespace snug {
namespace {

using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Square = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const float, nb::ndim<2>, nb::device::cpu>;
using OutRows = nb::ndarray<float, nb::ndim<2>, nb::device::cpu>;
using OutBytes = nb::ndarray<std::uint8_t, nb::ndim<2>, nb::device::cpu>;
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

void check_threads(std::int64_t threads) {
    if (threads < 1 || threads > 1024) throw nb::value_error("threads must be between 1 and 1024");
}

nb::bytes quantize_blocks(const Matrix &weights, const std::string &type_name, const nb::object &importance,
                          std::int64_t threads, const std::string &path) {
    const BlockType type = type_named(type_name);
    const BlockShape &shape = block_shape(type);
    const auto rows = static_cast<std::int64_t>(weights.shape(0));
    const auto columns = static_cast<std::int64_t>(weights.shape(1));
    if (columns % shape.values != 0) throw nb::value_error("columns must be a multiple of the block's size");
    check_threads(threads);
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

void new_tables(FeedbackTables *place, const Square &table, const Square &factor, const Square &inverse) {
    const std::size_t columns = table.shape(0);
    if (columns == 0 || columns % 32 != 0 || columns > (1u << 20)) {
        throw nb::value_error("columns must be a multiple of 32");
    }
    for (const Square *square : {&table, &factor, &inverse}) {
        if (square->shape(0) != columns || square->shape(1) != columns) {
            throw nb::value_error("the tables must be square and of one size");
        }
    }
    nb::gil_scoped_release released;
    new (place) FeedbackTables(table.data(), factor.data(), inverse.data(), static_cast<int>(columns));
}

template <class Array>
void require_rows(const Array &array, std::size_t rows, std::size_t columns) {
    if (array.shape(0) != rows || array.shape(1) != columns || (columns > 1 && array.stride(1) != 1)) {
        throw nb::value_error("the arrays must have the same rows, each in one piece");
    }
}

void round_rows(const FeedbackTables &tables, const Rows &weights, const std::string &type_name,
                const OutBytes &blocks, const OutRows &values, int sweeps, std::int64_t threads,
                const std::string &path) {
    const BlockType type = type_named(type_name);
    const BlockShape &shape = block_shape(type);
    const auto columns = static_cast<std::size_t>(tables.columns());
    if (!has_feedback(type)) throw nb::value_error("the codes of this type cannot be chosen");
    if (columns % shape.values != 0) throw nb::value_error("columns must be a multiple of the block's size");
    check_threads(threads);
    require_rows(weights, weights.shape(0), columns);
    require_rows(values, weights.shape(0), columns);
    require_rows(blocks, weights.shape(0), columns / shape.values * shape.bytes);
    const KernelTable &table = kernels_for(path);
    nb::gil_scoped_release released;
    const std::vector<float> costs = tables.costs(shape.values);
    const FeedbackJob job{type, table.kernels[static_cast<int>(type)], costs.data(), sweeps, weights.data(),
                          weights.stride(0), blocks.data(), blocks.stride(0), values.data(), values.stride(0)};
    feedback_rows(table, tables, job, static_cast<std::int64_t>(weights.shape(0)), static_cast<int>(threads));
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
    nb::class_<FeedbackTables>(module, "FeedbackTables", "What error feedback needs of some columns' inputs.")
        .def("__init__", &new_tables, nb::arg("table"), nb::arg("factor"), nb::arg("inverse"))
        .def_prop_ro("columns", &FeedbackTables::columns)
        .def("round", &round_rows, nb::arg("weights"), nb::arg("type_name"), nb::arg("blocks"), nb::arg("values"),
             nb::kw_only(), nb::arg("sweeps") = 2, nb::arg("threads") = 1, nb::arg("path") = "",
             "Round rows of weights with feedback, into their blocks and the values that these stand for.");
}

}  // namespace snug
