// Error feedback on a panel of rows that lie side by side: value of column c and row r at [c * kPanel + r].
//
// First the columns are rounded in order, with their errors pushed onto later ones: within kStep columns one by one,
// within kWide columns and then over the whole row as products of packed tables. Afterwards sweeps change single codes
// wherever that lowers the whole error; few codes change, so each change is added to its own row alone.
#pragma once

#include "blocks.h"
#include "feedback.h"

namespace snug {
namespace {

constexpr int kGroup = 3 * kLanes;  // rows whose sums stay in registers
static_assert(kPanel % kGroup == 0 && kPanel % 32 == 0 && kStep == 32);
#if defined(SNUG_PATH_AVX512) || defined(SNUG_PATH_NEON)
constexpr int kTogether = 8;  // columns whose sums stay in registers
#else
constexpr int kTogether = 4;
#endif

// into[i][r] += sum of packed[j][i] * errors[j][r] over j < depth, for the kTile columns i.
inline void add_products(const float *packed, const float *errors, int depth, float *into) {
    for (int part = 0; part < kTile; part += kTogether) {
        for (int r = 0; r < kPanel; r += kGroup) {
            float *to = into + part * kPanel + r;
            Vec sum[kTogether][3];
            for (int i = 0; i < kTogether; ++i) {
                for (int v = 0; v < 3; ++v) sum[i][v] = load(to + i * kPanel + v * kLanes);
            }
            const float *factor = packed + part, *error = errors + r;
            for (int j = 0; j < depth; ++j, factor += kTile, error += kPanel) {
                const Vec first = load(error), second = load(error + kLanes), third = load(error + 2 * kLanes);
                for (int i = 0; i < kTogether; ++i) {
                    const Vec by = all(factor[i]);
                    sum[i][0] = multiply_add(by, first, sum[i][0]);
                    sum[i][1] = multiply_add(by, second, sum[i][1]);
                    sum[i][2] = multiply_add(by, third, sum[i][2]);
                }
            }
            for (int i = 0; i < kTogether; ++i) {
                for (int v = 0; v < 3; ++v) store(to + i * kPanel + v * kLanes, sum[i][v]);
            }
        }
    }
}

// `count` rows of `columns` values to columns of kPanel, zeros where there are no rows. Columns: a multiple of eight.
inline void rows_to_panel(const float *from, std::int64_t stride, int count, int columns, float *to) {
    for (int r = 0; r < kPanel; r += 8) {
        const int here = count - r < 8 ? count - r : 8;
        for (int c = 0; c < columns; c += 8) {
            if (here == 8) {
                transpose_tile(from + r * stride + c, static_cast<int>(stride), to + c * kPanel + r, kPanel);
                continue;
            }
            for (int k = c; k < c + 8; ++k) {
                for (int i = 0; i < 8; ++i) to[k * kPanel + r + i] = i < here ? from[(r + i) * stride + k] : 0;
            }
        }
    }
}

inline void panel_to_rows(const float *from, int count, int columns, float *to, std::int64_t stride) {
    for (int r = 0; r < count; r += 8) {
        const int here = count - r < 8 ? count - r : 8;
        for (int c = 0; c < columns; c += 8) {
            if (here == 8) {
                transpose_tile(from + c * kPanel + r, kPanel, to + r * stride + c, static_cast<int>(stride));
                continue;
            }
            for (int k = c; k < c + 8; ++k) {
                for (int i = 0; i < here; ++i) to[(r + i) * stride + k] = from[k * kPanel + r + i];
            }
        }
    }
}

class Panel {
public:
    Panel(const FeedbackTables &tables, const FeedbackJob &job, std::int64_t first, int count, FeedbackSpace &space)
        : tables_(tables), job_(job), grid_(kGrids[static_cast<int>(job.type)]), space_(space), count_(count),
          columns_(tables.columns()), block_bytes_(block_shape(job.type).bytes),
          weights_(job.weights + first * job.weight_stride), blocks_(job.blocks + first * job.block_stride),
          values_(job.values + first * job.value_stride) {}

    void run() {
        rows_to_panel(weights_, job_.weight_stride, count_, columns_, space_.left);
        for (int begin = 0; begin < columns_; begin += kWide) round_wide(begin);
        panel_to_rows(space_.left, kPanel, columns_, space_.pull, columns_);  // left of what is rounded it holds the pull
        for (int sweep = 1; sweep <= job_.sweeps; ++sweep) {
            for (int first = 0; first < columns_; first += kStep) change_codes(first, sweep == job_.sweeps);
        }
        put_codes();
        panel_to_rows(space_.rounded, count_, columns_, values_, job_.value_stride);
    }

private:
    void round_wide(int begin) {
        const int width = tables_.width(begin), end = begin + width;
        for (int first = begin; first < end; first += kStep) {
            if ((first - begin) % grid_.block == 0) find_scales(first);
            for (int column = first; column < first + kStep; ++column) round_column(begin, column, first + kStep);
            for (int column = first + kStep; column < end; column += kTile) {
                add_products(tables_.inside(begin, column) + (first - begin) * kTile,
                             space_.errors + (first - begin) * kPanel, kStep, space_.left + column * kPanel);
            }
        }
        for (int i = begin * kPanel; i < end * kPanel; i += kLanes) store(space_.left + i, all(0));
        for (int column = 0; column < columns_; column += kTile) {
            add_products(tables_.spread(begin, column), space_.errors, width, space_.left + column * kPanel);
        }
    }

    // The scales of the blocks at `first`, for the weights as earlier errors have left them.
    void find_scales(int first) {
        panel_to_rows(space_.left + first * kPanel, count_, grid_.block, space_.rows, grid_.block);
        job_.search(space_.rows, job_.costs + first, 0, count_, 1, space_.raw.data());
        const int subs = grid_.block / grid_.sub, at = first / grid_.sub * kPanel;
        for (int r = 0; r < kPanel; ++r) {
            float scale[16] = {}, low[16] = {};
            if (r < count_) {
                const Byte *raw = space_.raw.data() + r * block_bytes_;
                grid_.read(raw, scale, low);
                std::memcpy(blocks_ + r * job_.block_stride + first / grid_.block * block_bytes_, raw, block_bytes_);
            }
            for (int j = 0; j < subs; ++j) {
                space_.scale[at + j * kPanel + r] = scale[j];
                space_.inverse[at + j * kPanel + r] = scale[j] < 0 || scale[j] > 0 ? 1 / scale[j] : 0;
                space_.low[at + j * kPanel + r] = low[j];
            }
        }
    }

    // The nearest value of the grid to each of `wanted`, and its code; kPanel of each.
    void nearest_values(int column, const float *wanted, float *values, Byte *codes) const {
        const int at = column / grid_.sub * kPanel;
        alignas(64) float numbers[kPanel];
        for (int r = 0; r < kPanel; r += kLanes) {
            const Vec scale = load(space_.scale + at + r), low = load(space_.low + at + r);
            const Vec place = (load(wanted + r) + low) * load(space_.inverse + at + r);
            if (grid_.is_codebook) {
                store(values + r, scale * codebook_nearest(place));
                store(numbers + r, codebook_number(place));
            } else {
                const Vec whole = nearest(clamp(place, -grid_.middle, grid_.top - grid_.middle));
                store(values + r, scale * whole - low);
                store(numbers + r, whole + all(grid_.middle));
            }
        }
        for (int r = 0; r < kPanel; r += 32) store_bytes(codes + r, numbers + r);
    }

    void round_column(int begin, int column, int end) {
        float *const wanted = space_.left + column * kPanel, *const value = space_.rounded + column * kPanel;
        nearest_values(column, wanted, value, space_.codes.data() + column * kPanel);
        float *const error = space_.errors + (column - begin) * kPanel;
        const Vec scale = all(tables_.error_scale(column));
        for (int r = 0; r < kPanel; r += kLanes) store(error + r, (load(wanted + r) - load(value + r)) * scale);
        const int j = column - begin;
        for (int k = column + 1; k < end; ++k) {
            const int tile = k / kTile * kTile;
            const Vec by = all(tables_.inside(begin, tile)[j * kTile + k - tile]);
            float *const to = space_.left + k * kPanel;
            for (int r = 0; r < kPanel; r += kLanes) store(to + r, multiply_add(by, load(error + r), load(to + r)));
        }
    }

    void change_codes(int first, bool is_last) {
        rows_to_panel(space_.pull + first, columns_, kPanel, kStep, space_.local);
        alignas(64) float wanted[kPanel], value[kPanel];
        for (int c = 0; c < kStep; ++c) {
            const int column = first + c;
            float *const pull = space_.local + c * kPanel, *const rounded = space_.rounded + column * kPanel;
            float *const change = space_.changes + c * kPanel;
            const Vec scale = all(tables_.pull_scale(column));
            for (int r = 0; r < kPanel; r += kLanes) {
                store(wanted + r, multiply_add(load(pull + r), scale, load(rounded + r)));
            }
            nearest_values(column, wanted, value, space_.codes.data() + column * kPanel);
            for (int r = 0; r < kPanel; r += kLanes) {
                store(change + r, load(rounded + r) - load(value + r));
                store(rounded + r, load(value + r));
            }
            const float *const row = tables_.row(column) + first;
            for (int r = 0; r < kPanel; r += kLanes) {
                const Vec by = load(change + r);
                if (is_zero(by)) continue;  // most are
                for (int k = c + 1; k < kStep; ++k) {
                    float *const to = space_.local + k * kPanel + r;
                    store(to, multiply_add(by, all(row[k]), load(to)));
                }
            }
        }
        spread_changes(first, is_last ? first + kStep : 0);
    }

    // The pull of all columns from `from` on after the changes of the kStep columns at `first`.
    void spread_changes(int first, int from) {
        struct Change {
            int column;
            float by;
        };
        Change found[kPanel][kStep];
        int counts[kPanel] = {};
        for (int c = 0; c < kStep; ++c) {
            const float *const change = space_.changes + c * kPanel;
            for (int r = 0; r < kPanel; ++r) {
                found[r][counts[r]] = {c, change[r]};
                counts[r] += change[r] < 0 || change[r] > 0;
            }
        }
        constexpr int kStretch = 8 * kLanes;
        for (int start = from; start < columns_; start += kStretch) {
            const int width = columns_ - start < kStretch ? columns_ - start : kStretch;
            for (int r = 0; r < kPanel; ++r) {
                float *const to = space_.pull + static_cast<std::int64_t>(r) * columns_ + start;
                const int count = counts[r];
                if (!count) continue;
                if (width == kStretch) {
                    Vec sum[8];
                    for (int v = 0; v < 8; ++v) sum[v] = load(to + v * kLanes);
                    for (int n = 0; n < count; ++n) {
                        const float *const row = tables_.row(first + found[r][n].column) + start;
                        const Vec by = all(found[r][n].by);
                        for (int v = 0; v < 8; ++v) sum[v] = multiply_add(by, load(row + v * kLanes), sum[v]);
                    }
                    for (int v = 0; v < 8; ++v) store(to + v * kLanes, sum[v]);
                    continue;
                }
                for (int n = 0; n < count; ++n) {
                    const float *const row = tables_.row(first + found[r][n].column) + start;
                    const Vec by = all(found[r][n].by);
                    for (int i = 0; i < width; i += kLanes) store(to + i, multiply_add(by, load(row + i), load(to + i)));
                }
            }
        }
    }

    void put_codes() {
        Byte codes[256];
        for (int first = 0; first < columns_; first += grid_.block) {
            for (int r = 0; r < count_; ++r) {
                const Byte *from = space_.codes.data() + static_cast<std::size_t>(first) * kPanel + r;
                for (int c = 0; c < grid_.block; ++c) codes[c] = from[c * kPanel];
                grid_.put(blocks_ + r * job_.block_stride + first / grid_.block * block_bytes_, codes);
            }
        }
    }

    const FeedbackTables &tables_;
    const FeedbackJob &job_;
    const BlockGrid &grid_;
    FeedbackSpace &space_;
    int count_, columns_, block_bytes_;
    const float *weights_;
    std::uint8_t *blocks_;
    float *values_;
};

void feedback_panel(const FeedbackTables &tables, const FeedbackJob &job, std::int64_t first, int count,
                    FeedbackSpace &space) {
    Panel(tables, job, first, count, space).run();
}

}  // namespace
}  // namespace snug
