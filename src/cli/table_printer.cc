#include "cli/table_printer.h"

#include <algorithm>
#include <fmt/format.h>

#include "cli/console.h"

namespace mlalert {
namespace {

int Code(CellColor color) {
  switch (color) {
    case CellColor::kRed:
      return 31;
    case CellColor::kYellow:
      return 33;
    case CellColor::kCyan:
      return 36;
    case CellColor::kGreen:
      return 32;
    case CellColor::kFaint:
      return 2;
    case CellColor::kNone:
      return 0;
  }
  return 0;
}

void PrintRow(std::ostream& out, const std::vector<Column>& columns, const std::vector<size_t>& widths,
              const std::vector<Cell>& row, bool color) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string padding(widths[i] - DisplayWidth(row[i].text), ' ');
    std::string text = Colored(row[i].text, row[i].color, color);
    line += i > 0 ? "  " : "";
    bool last = i + 1 == columns.size();
    line += columns[i].right ? padding + text : last ? text : text + padding;
  }
  out << line << '\n';
}

}  // namespace

CellColor ColorOf(Severity severity) {
  switch (severity) {
    case Severity::kP0:
    case Severity::kP1:
      return CellColor::kRed;
    case Severity::kP2:
      return CellColor::kYellow;
    case Severity::kP3:
      return CellColor::kCyan;
    case Severity::kNone:
      return CellColor::kNone;
  }
  return CellColor::kNone;
}

std::string Colored(std::string_view text, CellColor color, bool enabled) {
  if (!enabled || color == CellColor::kNone || text.empty()) {
    return std::string(text);
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", Code(color), text);
}

void TablePrinter::Add(std::vector<Cell> row) {
  row.resize(columns_.size(), Cell(""));
  for (size_t i = 0; i < row.size(); ++i) {
    std::string text = row[i].text.empty() ? "-" : Printable(row[i].text);
    row[i].text = columns_[i].width_max > 0 ? Shorten(text, columns_[i].width_max) : std::move(text);
  }
  rows_.push_back(std::move(row));
}

void TablePrinter::Print(std::ostream& out, bool color) const {
  std::vector<size_t> widths;
  std::vector<Cell> header;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) {
      width = std::max(width, DisplayWidth(row[i].text));
    }
    widths.push_back(width);
    header.emplace_back(columns_[i].title, CellColor::kFaint);
  }
  PrintRow(out, columns_, widths, header, color);
  for (const auto& row : rows_) {
    PrintRow(out, columns_, widths, row, color);
  }
}

}  // namespace mlalert
