#include "cli/progress.h"

#include <iostream>

namespace keyscope::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirst{500}, kEachLine{1000}, kEachUpdate{100};
constexpr char kEraseLine[] = "\r\033[K";

}  // namespace

Progress::Progress(Style style, std::string what, size_t total)
    : style_(style), what_(std::move(what)), total_(total), next_(steady_clock::now() + kFirst) {}

Progress::~Progress() {
  if (style_ == Style::Terminal && written_) std::cerr << kEraseLine << std::flush;
  if (style_ == Style::Lines) Write();
}

void Progress::Step() {
  ++done_;
  const auto now = steady_clock::now();
  if (style_ == Style::None || now < next_) return;
  next_ = now + (style_ == Style::Terminal ? kEachUpdate : kEachLine);
  Write();
}

void Progress::Write() {
  written_ = true;
  if (style_ == Style::Terminal) std::cerr << kEraseLine;
  std::cerr << what_ << ": " << done_ << " of " << total_;
  if (style_ == Style::Lines) std::cerr << "\n";
  std::cerr << std::flush;
}

}  // namespace keyscope::cli
