#include "tests/bench/report.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

namespace keyscope::bench {
namespace {

constexpr int kNameWidth = 48, kCellWidth = 24;

std::optional<double> Ratio(const Report& report, Work work, const Cell& cell) {
  const auto& row = report.cells.at(work);
  const auto measure = row.find(report.subjects.front());
  if (measure == row.end() || &measure->second == &cell || !cell.error.empty()) return std::nullopt;
  return cell.microseconds / measure->second.microseconds;
}

std::string Text(const Cell& cell, std::optional<double> ratio) {
  if (!cell.error.empty()) return "fails";
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << cell.microseconds;
  if (ratio) text << std::setprecision(2) << "  x" << *ratio;
  return text.str();
}

}  // namespace

void Report::WriteTable(std::ostream& out) const {
  out << std::left << std::setw(kNameWidth) << "median microseconds" << std::right;
  for (const std::string& subject : subjects) out << std::setw(kCellWidth) << subject;
  out << "\n";
  std::string errors;
  for (const Row& row : kRows) {
    out << std::left << std::setw(kNameWidth) << row.name << std::right;
    for (const std::string& subject : subjects) {
      const auto& cell = cells.at(row.work).find(subject);
      if (cell == cells.at(row.work).end()) {
        out << std::setw(kCellWidth) << "-";
        continue;
      }
      out << std::setw(kCellWidth) << Text(cell->second, Ratio(*this, row.work, cell->second));
      if (!cell->second.error.empty())
        errors += subject + ", " + row.name + ": " + cell->second.error + "\n";
    }
    out << "\n";
  }
  out << errors;
}

void Report::WriteJson(std::ostream& out) const {
  auto rows = nlohmann::json::array();
  for (const Row& row : kRows) {
    for (const auto& [subject, cell] : cells.at(row.work)) {
      nlohmann::json entry{{"row", row.name}, {"subject", subject}};
      if (cell.error.empty()) {
        entry["median_us"] = cell.microseconds;
      } else {
        entry["error"] = cell.error;
      }
      if (const auto ratio = Ratio(*this, row.work, cell)) entry["ratio"] = *ratio;
      rows.push_back(std::move(entry));
    }
  }
  out << nlohmann::json{{"measure", subjects.front()}, {"rows", rows}}.dump(2) << "\n";
}

}  // namespace keyscope::bench
