// How far long work has got, on standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace keyscope::cli {

class Progress {
 public:
  enum class Style : unsigned char {
    None,
    Lines,    // a line each second, and one in the end
    Terminal  // one line, from the first half second on; it is written over, and erased in the end
  };

  // `what`: the work in a few words. `total`: how many steps it has.
  Progress(Style style, std::string what, size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Step();  // one more is done

 private:
  void Write();

  const Style style_;
  const std::string what_;
  const size_t total_;
  size_t done_ = 0;
  bool written_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace keyscope::cli
