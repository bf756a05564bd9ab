#include "cli/table_printer.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

namespace mlalert {
namespace {

std::string Print(const TablePrinter& table, bool color = false) {
  std::ostringstream out;
  table.Print(out, color);
  return out.str();
}

BOOST_AUTO_TEST_SUITE(table_printer)

BOOST_AUTO_TEST_CASE(aligns_columns_and_leaves_nothing_behind_the_last) {
  TablePrinter table({{"ID", true}, {"NAME"}, {"NOTE"}});
  table.Add({"7", "a", "x"});
  table.Add({"123", "longer", "much longer note"});
  BOOST_TEST(Print(table) ==
             " ID  NAME    NOTE\n"
             "  7  a       x\n"
             "123  longer  much longer note\n");
}

BOOST_AUTO_TEST_CASE(prints_only_the_header_when_there_are_no_rows) {
  BOOST_TEST(Print(TablePrinter({{"ID"}, {"NAME"}})) == "ID  NAME\n");
}

BOOST_AUTO_TEST_CASE(marks_empty_cells_and_fills_missing_ones) {
  TablePrinter table({{"A"}, {"B"}, {"C"}});
  table.Add({"", "b"});
  table.Add({"1", "2", "3", "surplus"});
  BOOST_TEST(Print(table) == "A  B  C\n-  b  -\n1  2  3\n");
}

BOOST_AUTO_TEST_CASE(aligns_wide_and_combining_characters) {
  TablePrinter table({{"NAME"}, {"X"}});
  table.Add({"日本", "1"});
  table.Add({"e\xcc\x81", "2"});
  table.Add({"abcd", "3"});
  BOOST_TEST(Print(table) == "NAME  X\n日本  1\ne\xcc\x81     2\nabcd  3\n");
}

BOOST_AUTO_TEST_CASE(a_cell_cannot_break_its_row_or_drive_the_terminal) {
  TablePrinter table({{"NAME"}, {"X"}});
  table.Add({"a\nP0  fake row\x1b[A", "1"});
  BOOST_TEST(Print(table) == "NAME                   X\na\\nP0  fake row\\x1b[A  1\n");
}

BOOST_AUTO_TEST_CASE(shortens_after_escaping) {
  TablePrinter table({{"NAME", false, 8}});
  table.Add({"\x1b\x1b\x1b"});
  BOOST_TEST(Print(table) == "NAME\n\\x1b\\...\n");
}

BOOST_AUTO_TEST_CASE(colors_only_when_told_and_outside_of_the_padding) {
  TablePrinter table({{"S"}, {"X"}});
  table.Add({Cell("P0", ColorOf(Severity::kP0)), "1"});
  BOOST_TEST(Print(table, false) == "S   X\nP0  1\n");
  BOOST_TEST(Print(table, true) == "\x1b[2mS\x1b[0m   \x1b[2mX\x1b[0m\n\x1b[31mP0\x1b[0m  1\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
