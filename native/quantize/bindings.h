// The quantisation part of snug._native.
#pragma once

#include <nanobind/nanobind.h>

namespace snug {
void bind_quantize(nanobind::module_ &module);
}
