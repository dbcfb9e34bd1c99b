// The results: medians, and how they compare with the first subject's.
#pragma once

#include <map>
#include <ostream>
#include <vector>

#include "tests/bench/subject.h"

namespace keyscope::bench {

struct Cell {
  double microseconds = 0;  // the median
  std::string error;        // why there is none
};

struct Report {
  std::vector<std::string> subjects;                  // the first one is the measure
  std::map<Work, std::map<std::string, Cell>> cells;  // by work and subject

  void WriteTable(std::ostream& out) const;
  void WriteJson(std::ostream& out) const;
};

}  // namespace keyscope::bench
