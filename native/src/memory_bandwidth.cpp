// Streams through a large buffer with several threads and takes the median of repeated passes.
#include "memory_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace snug {

namespace {

using Clock = std::chrono::steady_clock;
using Word = std::uint64_t;

constexpr std::uint64_t kMiB = 1ull << 20;
constexpr std::size_t kLanes = 32;  // independent sums, so that no add waits for the one before
constexpr int kLeastPasses = 3;
// A pass covers this share of the buffer and the next pass the next share: short enough to fit between two
// interruptions on a busy computer, while each share is long out of the cache when its turn comes again.
constexpr std::size_t kShares = 16;

enum class Kind { touch, read, write, copy };

std::atomic<Word> sink{0};  // where sums end, so that no read can be left out

void read_words(const Word *words, std::size_t count) {
    Word sums[kLanes] = {};
    for (std::size_t at = 0; at + kLanes <= count; at += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += words[at + lane];
    }
    Word total = 0;
    for (const Word sum : sums) total += sum;
    sink.fetch_xor(total, std::memory_order_relaxed);
}

void write_words(Word *words, std::size_t count, Word value) {
    for (std::size_t at = 0; at < count; ++at) words[at] = value;
    // The compiler must believe that somebody looks at what was written.
    sink.fetch_xor(words[value % count], std::memory_order_relaxed);
}

void copy_words(Word *words, std::size_t count, Word turn) {
    const std::size_t half = count / 2;
    Word *from = turn % 2 == 0 ? words : words + half;
    Word *to = turn % 2 == 0 ? words + half : words;
    std::memcpy(to, from, half * sizeof(Word));
    sink.fetch_xor(to[turn % half], std::memory_order_relaxed);
}

void run_kind(Kind kind, Word *words, std::size_t count, Word turn) {
    switch (kind) {
        case Kind::read: read_words(words, count); break;
        case Kind::copy: copy_words(words, count, turn); break;
        case Kind::touch:
        case Kind::write: write_words(words, count, turn + 1); break;
    }
}

// Threads that each own one slice of the buffer; the caller is the first of them.
class Crew {
public:
    Crew(std::uint64_t buffer_bytes, int threads)
        : share_(std::max<std::size_t>(buffer_bytes / sizeof(Word) / threads / kShares / kLanes, 1) * kLanes),
          words_(new Word[share_ * kShares * threads]),
          times_(threads),
          start_(threads),
          finish_(threads) {
        // A thread that cannot start throws; those that did are sent home first.
        try {
            for (int index = 1; index < threads; ++index) others_.emplace_back([this, index] { work(index); });
        } catch (...) {
            stop_ = true;
            for (std::size_t missing = others_.size() + 1; missing < times_.size(); ++missing) {
                start_.arrive_and_drop();
            }
            start_.arrive_and_wait();
            for (std::thread &other : others_) other.join();
            throw;
        }
    }

    Crew(const Crew &) = delete;
    Crew &operator=(const Crew &) = delete;

    ~Crew() {
        stop_ = true;
        start_.arrive_and_wait();
        for (std::thread &other : others_) other.join();
    }

    // Bytes/s of one pass over the next share of the buffer: from the first thread's start to the last one's end.
    double pass(Kind kind) {
        kind_ = kind;
        ++turn_;
        start_.arrive_and_wait();
        run_timed(0);
        finish_.arrive_and_wait();
        auto [first, last] = times_.front();
        for (const Times &times : times_) {
            first = std::min(first, times.begin);
            last = std::max(last, times.end);
        }
        const double seconds = std::max(std::chrono::duration<double>(last - first).count(), 1e-9);
        return static_cast<double>(share_ * sizeof(Word) * times_.size()) / seconds;
    }

    std::uint64_t bytes() const { return share_ * kShares * times_.size() * sizeof(Word); }

private:
    struct alignas(64) Times {
        Clock::time_point begin;
        Clock::time_point end;
    };

    void work(std::size_t index) {
        for (;;) {
            start_.arrive_and_wait();
            if (stop_) return;
            run_timed(index);
            finish_.arrive_and_wait();
        }
    }

    void run_timed(std::size_t index) {
        Word *share = words_.get() + share_ * (index * kShares + turn_ % kShares);
        times_[index].begin = Clock::now();
        run_kind(kind_, share, share_, turn_ / kShares);
        times_[index].end = Clock::now();
    }

    std::size_t share_;
    std::unique_ptr<Word[]> words_;
    std::vector<Times> times_;
    std::barrier<> start_;
    std::barrier<> finish_;
    Kind kind_ = Kind::touch;  // the barriers order these three between threads
    Word turn_ = 0;
    bool stop_ = false;
    std::vector<std::thread> others_;
};

Rate measure(Crew &crew, Kind kind, double seconds) {
    std::vector<double> rates;
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    while (rates.size() < kLeastPasses || Clock::now() < until) rates.push_back(crew.pass(kind));
    std::sort(rates.begin(), rates.end());
    return {rates[rates.size() / 2], rates.front(), rates[(rates.size() - 1) * 95 / 100], static_cast<int>(rates.size())};
}

}  // namespace

std::uint64_t buffer_size(std::uint64_t cache_bytes, std::uint64_t available_bytes) {
    // Four times the cache leaves almost nothing of it in place when a pass begins again.
    std::uint64_t bytes = std::clamp<std::uint64_t>(4 * cache_bytes, 128 * kMiB, 1024 * kMiB);
    if (available_bytes > 0) bytes = std::min(bytes, available_bytes / 4);
    return std::max<std::uint64_t>(bytes, kMiB);
}

Bandwidth measure_bandwidth(std::uint64_t buffer_bytes, int threads, double seconds) {
    Crew crew(buffer_bytes, threads);
    // Maps the pages, each on the memory nearest to the thread that will use it.
    for (std::size_t share = 0; share < kShares; ++share) crew.pass(Kind::touch);
    Bandwidth result{};
    result.buffer_bytes = crew.bytes();
    result.read = measure(crew, Kind::read, seconds * 0.5);
    result.write = measure(crew, Kind::write, seconds * 0.25);
    result.copy = measure(crew, Kind::copy, seconds * 0.25);
    return result;
}

}  // namespace snug
