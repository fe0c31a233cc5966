// Error feedback (GPTQ, Frantar et al. 2022) for the block types whose codes stand for one weight each: columns are
// rounded in order, and each one's error is pushed onto those that come later.
//
// With H = R R^T (R upper triangular) of the inputs' products and U = R^-1, an error of column j, over U_jj, is e_j; the
// later columns take e_j U_jk away. The differences of a row are then e U, and their pull d H on single codes is e R^T:
// so one packed table serves both, U right of the block that was just rounded, R^T left of it.
#pragma once

#include <cstdint>
#include <vector>

#include "quantize.h"

namespace snug {

constexpr int kPanel = 96;  // rows that are rounded side by side
constexpr int kTile = 8;    // columns that lie together in a packed table
constexpr int kStep = 32;   // columns that are rounded one by one before the others hear of their errors
constexpr int kWide = 256;  // columns after which the whole row does

// What is needed of the inputs of some columns, laid out for the panels; all that is read of it is finite.
class FeedbackTables {
public:
    // `table` is H, `factor` R and `inverse` U: columns x columns each, row after row.
    FeedbackTables(const float *table, const float *factor, const float *inverse, int columns);

    int columns() const { return columns_; }
    int width(int begin) const { return columns_ - begin < kWide ? columns_ - begin : kWide; }
    const float *row(int column) const { return &table_[static_cast<std::size_t>(column) * columns_]; }

    // [depth][kTile]: what the errors of the kWide columns from `begin` on add to the kTile columns from `column` on.
    const float *spread(int begin, int column) const { return &spread_[spread_at(begin, column)]; }
    // The same within those kWide columns, for the time when they are rounded.
    const float *inside(int begin, int column) const { return &inside_[inside_at(begin, column)]; }
    float error_scale(int column) const { return error_scale_[column]; }    // 1 / U_jj
    float pull_scale(int column) const { return pull_scale_[column]; }      // 1 / H_jj
    // 1 / U_jj^2 over its mean in blocks of `block` columns: the importance that a search for scales takes.
    std::vector<float> costs(int block) const;

private:
    std::size_t spread_at(int begin, int column) const {
        return static_cast<std::size_t>(begin) * columns_ + static_cast<std::size_t>(column) * width(begin);
    }
    std::size_t inside_at(int begin, int column) const {
        return static_cast<std::size_t>(begin) * kWide + static_cast<std::size_t>(column - begin) * width(begin);
    }

    int columns_;
    std::vector<float> table_, spread_, inside_, error_scale_, pull_scale_;
};

// Where a panel keeps what it works on; one for each thread.
struct FeedbackSpace {
    explicit FeedbackSpace(int columns);
    float *take(std::size_t count);

    float *left, *rounded, *pull;         // [columns][kPanel], the same, [kPanel][columns]
    float *scale, *inverse, *low;         // [columns / 16][kPanel]
    float *errors, *local, *changes;      // [kWide][kPanel], [kStep][kPanel], [kStep][kPanel]
    float *rows;                          // [kPanel][kWide]
    std::vector<std::uint8_t> codes, raw;  // [columns][kPanel], blocks of a panel

private:
    std::vector<float> memory_;
    std::size_t used_;
};

// Weights, and where their blocks and the numbers that these stand for go; strides in elements from row to row.
struct FeedbackJob {
    BlockType type;
    Kernel search;
    const float *costs;
    int sweeps;
    const float *weights;
    std::int64_t weight_stride;
    std::uint8_t *blocks;
    std::int64_t block_stride;
    float *values;
    std::int64_t value_stride;
};

// Whether the codes of this type can be chosen one by one (all but Q8_0).
bool has_feedback(BlockType type);

// All rows, in that many threads; the result does not depend on `threads`. The weights must be finite.
void feedback_rows(const KernelTable &table, const FeedbackTables &tables, const FeedbackJob &job, std::int64_t rows,
                   int threads);

}  // namespace snug
