#include "tests/bench/report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

namespace keyscope::bench {
namespace {

constexpr int kNameWidth = 46, kCellWidth = 22;

std::string Text(const Cell& cell, std::optional<double> ratio) {
  if (!cell.error.empty()) return "fails";
  std::ostringstream text;
  text << std::fixed << std::setprecision(cell.value < 100 ? 1 : 0) << cell.value;
  if (ratio) text << std::setprecision(2) << "  x" << *ratio;
  return text.str();
}

}  // namespace

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::optional<double> Report::Ratio(const ReportRow& row, const std::string& subject) const {
  const auto measure = row.cells.find(subjects.front()), cell = row.cells.find(subject);
  if (measure == row.cells.end() || cell == row.cells.end() || measure == cell ||
      !measure->second.error.empty() || !cell->second.error.empty())
    return std::nullopt;
  return cell->second.value / measure->second.value;
}

void Report::WriteTable(std::ostream& out) const {
  out << std::left << std::setw(kNameWidth) << "medians, and times the first column" << std::right;
  for (const std::string& subject : subjects) out << std::setw(kCellWidth) << subject;
  out << "\n";
  std::string errors;
  for (const ReportRow& row : rows) {
    out << std::left << std::setw(kNameWidth) << row.name + ", " + row.unit << std::right;
    for (const std::string& subject : subjects) {
      const auto cell = row.cells.find(subject);
      if (cell == row.cells.end()) {
        out << std::setw(kCellWidth) << "-";
        continue;
      }
      out << std::setw(kCellWidth) << Text(cell->second, Ratio(row, subject));
      if (!cell->second.error.empty())
        errors += subject + ", " + row.name + ": " + cell->second.error + "\n";
    }
    out << "\n";
  }
  out << errors;
}

void Report::WriteJson(std::ostream& out) const {
  auto all = nlohmann::json::array();
  for (const ReportRow& row : rows) {
    for (const auto& [subject, cell] : row.cells) {
      nlohmann::json entry{{"row", row.name}, {"unit", row.unit}, {"subject", subject}};
      if (cell.error.empty()) {
        entry["median"] = cell.value;
      } else {
        entry["error"] = cell.error;
      }
      if (const auto ratio = Ratio(row, subject)) entry["ratio"] = *ratio;
      all.push_back(std::move(entry));
    }
  }
  out << nlohmann::json{{"measure", subjects.front()}, {"rows", all}}.dump(2) << "\n";
}

}  // namespace keyscope::bench
