// The results: medians, and how they compare with the first subject's.
#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace keyscope::bench {

inline constexpr const char *kMicroseconds = "us", *kKib = "KiB";

struct Cell {
  double value = 0;   // the median
  std::string error;  // why there is none
};

struct ReportRow {
  std::string name, unit;
  std::map<std::string, Cell> cells;  // by subject; a subject that does not do it has none
};

struct Report {
  std::vector<std::string> subjects;  // the first one is the measure
  std::vector<ReportRow> rows;

  // The cell over the measure's; nullopt for the measure itself and where either is missing.
  std::optional<double> Ratio(const ReportRow& row, const std::string& subject) const;
  void WriteTable(std::ostream& out) const;
  void WriteJson(std::ostream& out) const;
  // Bars on a logarithmic scale, one group a row.
  void WriteSvg(std::ostream& out) const;
};

double Median(std::vector<double> values);

}  // namespace keyscope::bench
