#include "feedback.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

namespace snug {

FeedbackTables::FeedbackTables(const float *table, const float *factor, const float *inverse, int columns)
    : columns_(columns),
      table_(table, table + static_cast<std::size_t>(columns) * columns),
      spread_(static_cast<std::size_t>(columns) * columns),
      inside_(static_cast<std::size_t>(columns) * kWide),
      error_scale_(columns),
      pull_scale_(columns) {
    const auto at = [columns](const float *matrix, int row, int column) {
        return matrix[static_cast<std::size_t>(row) * columns + column];
    };
    for (int j = 0; j < columns; ++j) {
        error_scale_[j] = 1 / at(inverse, j, j);
        pull_scale_[j] = 1 / at(table, j, j);
    }
    for (int begin = 0; begin < columns; begin += kWide) {
        const int depth = width(begin), end = begin + depth;
        for (int column = 0; column < columns; column += kTile) {
            float *to = &spread_[spread_at(begin, column)];
            for (int j = begin; j < end; ++j) {
                for (int i = 0; i < kTile; ++i) {
                    const int k = column + i;
                    *to++ = k >= end ? -at(inverse, j, k) : k <= j ? at(factor, k, j) : 0;
                }
            }
        }
        for (int column = begin; column < end; column += kTile) {
            float *to = &inside_[inside_at(begin, column)];
            for (int j = begin; j < end; ++j) {
                for (int i = 0; i < kTile; ++i) *to++ = column + i > j ? -at(inverse, j, column + i) : 0;
            }
        }
    }
}

std::vector<float> FeedbackTables::costs(int block) const {
    constexpr float kSmallest = 1e-6f;  // of the mean, as for any other importance
    std::vector<float> found(columns_);
    for (int begin = 0; begin < columns_; begin += block) {
        const int end = std::min(columns_, begin + block);
        double sum = 0;
        for (int j = begin; j < end; ++j) sum += static_cast<double>(error_scale_[j]) * error_scale_[j];
        const double mean = sum / (end - begin);
        for (int j = begin; j < end; ++j) {
            const double cost = static_cast<double>(error_scale_[j]) * error_scale_[j] / mean;
            found[j] = std::max(static_cast<float>(cost), kSmallest);
        }
    }
    return found;
}

FeedbackSpace::FeedbackSpace(int columns)
    : codes(static_cast<std::size_t>(columns) * kPanel), raw(static_cast<std::size_t>(kPanel) * kWide), used_(0) {
    const auto whole = static_cast<std::size_t>(columns) * kPanel;
    const std::size_t subs = static_cast<std::size_t>(columns / 16) * kPanel;
    memory_.resize(3 * whole + 3 * subs + (2 * kWide + 2 * kStep) * kPanel + 16);
    used_ = (64 - reinterpret_cast<std::uintptr_t>(memory_.data()) % 64) % 64 / sizeof(float);
    left = take(whole);
    rounded = take(whole);
    pull = take(whole);
    scale = take(subs);
    inverse = take(subs);
    low = take(subs);
    errors = take(kWide * kPanel);
    local = take(kStep * kPanel);
    changes = take(kStep * kPanel);
    rows = take(kPanel * kWide);
}

float *FeedbackSpace::take(std::size_t count) {
    float *found = memory_.data() + used_;
    used_ += count;
    return found;
}

bool has_feedback(BlockType type) { return type != BlockType::q8_0 && type != BlockType::count; }

void feedback_rows(const KernelTable &table, const FeedbackTables &tables, const FeedbackJob &job, std::int64_t rows,
                   int threads) {
    const auto used = static_cast<int>(std::min<std::int64_t>(threads, (rows + kPanel - 1) / kPanel));
    std::vector<FeedbackSpace> spaces;  // here, so that a lack of memory is an error and not the end of the process
    spaces.reserve(used);
    for (int i = 0; i < used; ++i) spaces.emplace_back(tables.columns());
    std::atomic<std::int64_t> next{0};
    const auto work = [&](FeedbackSpace &space) {
        for (std::int64_t first = next.fetch_add(kPanel); first < rows; first = next.fetch_add(kPanel)) {
            table.feedback(tables, job, first, static_cast<int>(std::min<std::int64_t>(kPanel, rows - first)), space);
        }
    };
    std::vector<std::thread> started;
    for (int i = 1; i < used; ++i) started.emplace_back(work, std::ref(spaces[i]));
    if (used > 0) work(spaces[0]);
    for (std::thread &thread : started) thread.join();
}

}  // namespace snug
