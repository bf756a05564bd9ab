// Aligned columns for people: a header, rows, two spaces between columns, nothing behind the last one. Cells
// are made printable and shortened here, so that no caller can forget it.
// Fed by: the subcommands that list. Owns: the cells until Print. Thread: one.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "model/severity.h"

namespace mlalert {

enum class CellColor : uint8_t { kNone, kRed, kYellow, kCyan, kGreen, kFaint };

// P0 and P1 red, P2 yellow, P3 cyan.
CellColor ColorOf(Severity severity);
std::string Colored(std::string_view text, CellColor color, bool enabled);

struct Column {
  std::string title;
  bool right = false;    // numbers
  size_t width_max = 0;  // longer cells are shortened; 0: never
};

struct Cell {
  std::string text;
  CellColor color = CellColor::kNone;

  Cell(std::string t, CellColor c = CellColor::kNone) : text(std::move(t)), color(c) {}  // NOLINT
  Cell(std::string_view t) : text(t) {}                                                  // NOLINT
  Cell(const char* t) : text(t) {}                                                       // NOLINT
};

class TablePrinter {
 public:
  explicit TablePrinter(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty, surplus ones are dropped. Empty cells print as "-".
  void Add(std::vector<Cell> row);
  size_t rows() const { return rows_.size(); }

  void Print(std::ostream& out, bool color) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mlalert
