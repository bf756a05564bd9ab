// A review for people: table, Markdown, HTML mail, CSV, a chat message. Reads the review's JSON and nothing
// else. Everything in it came from outside (labels, comments): each format escapes for itself. Thread: pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mlalert {

std::string ReviewTitle(const Json& review);  // "Weekly review 2026-W47, team ml-platform"
std::string ReviewAsText(const Json& review);
std::string ReviewAsMarkdown(const Json& review);
std::string ReviewAsHtml(const Json& review);   // a whole document, styles inline, nothing loaded
std::string ReviewAsCsv(const Json& review);    // a row per rule, the first is of all
std::string ReviewAsSlack(const Json& review);  // mrkdwn

// A cell of CSV: quoted where needed; text that a spreadsheet would take for a formula gets an apostrophe
// before it.
std::string CsvCell(std::string_view text);
// "34 of 48", "12 min", "3 h 5 min", "71 %".
std::string MinutesText(double seconds);

}  // namespace mlalert
