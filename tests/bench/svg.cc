// The report as a plot.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "tests/bench/report.h"

namespace keyscope::bench {
namespace {

constexpr int kLeft = 330, kPlotWidth = 640, kRight = 90, kTop = 60, kBar = 9, kGap = 9;
constexpr const char* kColours[] = {"#999999", "#1b6ca8", "#d1782c", "#5b8c3e", "#8a4f9e"};

struct Scale {
  double first, decades;  // both of the logarithm to base 10
  double X(double value) const {
    return kLeft + kPlotWidth * (std::log10(value) - first) / decades;
  }
};

// Whole decades around all that is to be shown.
Scale ScaleOf(const std::vector<const ReportRow*>& rows) {
  double least = 1e9, most = 1;
  for (const ReportRow* row : rows) {
    for (const auto& [subject, cell] : row->cells) {
      if (!cell.error.empty() || cell.value <= 0) continue;
      least = std::min(least, cell.value);
      most = std::max(most, cell.value);
    }
  }
  const double first = std::floor(std::log10(std::min(least, most)));
  return {first, std::max(1.0, std::ceil(std::log10(most)) - first)};
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '<' || c == '&')
      escaped += c == '<' ? "&lt;" : "&amp;";
    else
      escaped += c;
  }
  return escaped;
}

void WriteText(std::ostream& out, double x, double y, const char* anchor, const std::string& text) {
  out << "<text x='" << x << "' y='" << y << "' text-anchor='" << anchor << "'>" << Escaped(text)
      << "</text>\n";
}

void WriteBar(std::ostream& out, double y, double width, const char* colour) {
  out << "<rect x='" << kLeft << "' y='" << y << "' width='" << width << "' height='" << kBar - 1
      << "' fill='" << colour << "'/>\n";
}

void WriteGrid(std::ostream& out, const Scale& scale, int bottom) {
  for (int i = 0; i <= static_cast<int>(scale.decades); ++i) {
    const double value = std::pow(10, scale.first + i), x = scale.X(value);
    out << "<line x1='" << x << "' x2='" << x << "' y1='" << kTop << "' y2='" << bottom
        << "' stroke='#dddddd'/>\n";
    std::ostringstream tick;
    tick << value << " us";
    WriteText(out, x, kTop - 6, "middle", tick.str());
  }
}

}  // namespace

void Report::WriteSvg(std::ostream& out) const {
  std::vector<const ReportRow*> timed;
  for (const ReportRow& row : rows)
    if (row.unit == kMicroseconds) timed.push_back(&row);
  const Scale scale = ScaleOf(timed);
  const int group = static_cast<int>(subjects.size()) * kBar + kGap;
  const int bottom = kTop + group * static_cast<int>(timed.size());
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << kLeft + kPlotWidth + kRight
      << "' height='" << bottom + 10 << "' font-family='sans-serif' font-size='11'>\n"
      << "<rect width='100%' height='100%' fill='white'/>\n"
      << std::fixed << std::setprecision(1);
  WriteGrid(out, scale, bottom);
  double legend = kLeft;
  for (size_t i = 0; i < subjects.size(); ++i, legend += 150) {
    out << "<rect x='" << legend << "' y='12' width='10' height='10' fill='"
        << kColours[i % std::size(kColours)] << "'/>\n";
    WriteText(out, legend + 15, 21, "start", subjects[i]);
  }
  double y = kTop + kGap / 2.0;
  for (const ReportRow* row : timed) {
    WriteText(out, kLeft - 8, y + (group - kGap) / 2.0 + 4, "end", row->name);
    for (size_t i = 0; i < subjects.size(); ++i, y += kBar) {
      const auto cell = row->cells.find(subjects[i]);
      if (cell == row->cells.end() || !cell->second.error.empty()) continue;
      const double end = scale.X(cell->second.value);
      WriteBar(out, y, end - kLeft, kColours[i % std::size(kColours)]);
    }
    y += kGap;
  }
  out << "</svg>\n";
}

}  // namespace keyscope::bench
